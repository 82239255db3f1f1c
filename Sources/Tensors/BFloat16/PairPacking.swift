import CLanes

/// Copies of matrices as pairs of bfloat16, rounded to the nearest. A pair fills the place of one
/// float, and spans two steps of a product's inner index.
enum PairPacking {
  /// How many pairs hold `count` numbers.
  static func pairs(_ count: Int) -> Int { BFloat16Pairs.units(count) }

  /// Pairs of neighbours in a row; a zero goes with the last of an odd number.
  static func neighbours(_ x: Matrix, into packed: PairMatrix) {
    let whole = x.columns & ~31
    let rest = x.columns - whole
    var (from, to) = (x.pointer, packed.pointer)
    for _ in 0..<x.rows {
      var column = 0
      while column < whole {
        to.store(
          clanes_pairs_of_neighbours(from.lanes(column), from.lanes(column + 16)), column / 2)
        column += 32
      }
      if rest > 0 {
        let first = from.lanes(column, first: min(16, rest))
        let second = rest > 16 ? from.lanes(column + 16, first: rest - 16) : Lanes.zero
        to.store(clanes_pairs_of_neighbours(first, second), column / 2, first: pairs(rest))
      }
      from += x.stride
      to += packed.stride
    }
  }

  /// Pairs across rows 2t and 2t + 1, in panels; see `TileArithmetic.columns`. A zero goes with the last
  /// of an odd number of rows, and zeros fill the last panel. Row by row, so that memory is read in
  /// the order in which it lies.
  @inline(__always)
  static func across(_ x: Matrix, panel: TilePanel, into packed: UnsafeMutablePointer<Float>) {
    let height = pairs(x.rows)
    var (from, to) = (x.pointer, packed)
    for t in 0..<height {
      let hasSecond = 2 * t + 1 < x.rows
      let below = from + (hasSecond ? x.stride : 0)
      for first in stride(from: 0, to: x.columns, by: 16) {
        let count = min(16, x.columns - first)
        clanes_prefetch(from + (16 * x.stride + first))
        clanes_prefetch(from + (17 * x.stride + first))
        let second = hasSecond ? below.part(first, count) : Lanes.zero
        panel.store(
          clanes_pairs_across(from.part(first, count), second), to + panel.start(first, height),
          height)
      }
      from += 2 * x.stride
      to += panel.rawValue
    }
  }

  /// The same from rows that are packed already; what fills the last panel is undefined.
  @inline(__always)
  static func across(_ x: PairMatrix, panel: TilePanel, into packed: UnsafeMutablePointer<Float>) {
    let height = pairs(x.rows)
    var (from, to) = (x.pointer, packed)
    for t in 0..<height {
      let hasSecond = 2 * t + 1 < x.rows
      var column = 0
      while column < x.columns {
        clanes_prefetch(from + (16 * x.stride + column / 2))
        clanes_prefetch(from + (17 * x.stride + column / 2))
        let a = from.lanes(column / 2)
        let b = hasSecond ? (from + x.stride).lanes(column / 2) : Lanes.zero
        panel.store(clanes_pairs_across_low(a, b), to + panel.start(column, height), height)
        if column + 16 < x.columns {
          panel.store(
            clanes_pairs_across_high(a, b), to + panel.start(column + 16, height), height)
        }
        column += 32
      }
      from += 2 * x.stride
      to += panel.rawValue
    }
  }
}
