import CLanes

/// Copies of single-precision matrices as pairs of bfloat16, rounded to the nearest. A pair fills the
/// place of one float, and spans two steps of a product's inner index.
enum PairPacking {
  /// Pairs of neighbours in a row: row i of `x` becomes `pairs(x.columns)` pairs at
  /// `packed + i · pairs(x.columns)`, the last with a zero where there is an odd one. Writes up to 15
  /// pairs further.
  static func neighbours(_ x: Matrix, into packed: UnsafeMutablePointer<Float>) {
    let whole = x.columns & ~31
    let rest = x.columns - whole
    var (from, to) = (x.pointer, packed)
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
        to.store(clanes_pairs_of_neighbours(first, second), column / 2)
      }
      from += x.stride
      to += pairs(x.columns)
    }
  }

  /// Pairs across rows 2t and 2t + 1, in panels of some columns, for the operand whose inner index runs
  /// down its rows: pair t of column j lies at
  /// `packed + j / panel · panel · pairs(x.rows) + t · panel + j % panel`. A zero goes with the last of
  /// an odd number of rows, and zeros fill the last panel.
  static func across(_ x: Matrix, panel: Panel, into packed: UnsafeMutablePointer<Float>) {
    let height = pairs(x.rows)
    // Row by row: memory is read in the order in which it lies, which is half of the time.
    var (from, to) = (x.pointer, packed)
    for t in 0..<height {
      let hasSecond = 2 * t + 1 < x.rows
      let below = from + (hasSecond ? x.stride : 0)
      for first in stride(from: 0, to: x.columns, by: 16) {
        let count = min(16, x.columns - first)
        let second = hasSecond ? below.part(first, count) : Lanes.zero
        panel.store(
          clanes_pairs_across(from.part(first, count), second), to + panel.start(first, height),
          height)
      }
      from += 2 * x.stride
      to += panel.rawValue
    }
  }

  /// The same from some columns of rows that are packed already.
  static func across(
    _ x: PackedRows, rows: Range<Int>, columns: Range<Int>, panel: Panel,
    into packed: UnsafeMutablePointer<Float>
  ) {
    let height = pairs(rows.count)
    let stride = pairs(x.columns)
    var from = x.buffer.pointer + rows.lowerBound * stride + columns.lowerBound / 2
    var to = packed
    for t in 0..<height {
      let hasSecond = 2 * t + 1 < rows.count
      var column = 0
      while column < columns.count {
        let a = from.lanes(column / 2)
        let b = hasSecond ? (from + stride).lanes(column / 2) : Lanes.zero
        panel.store(clanes_pairs_across_low(a, b), to + panel.start(column, height), height)
        if column + 16 < columns.count {
          panel.store(
            clanes_pairs_across_high(a, b), to + panel.start(column + 16, height), height)
        }
        column += 32
      }
      from += 2 * stride
      to += panel.rawValue
    }
  }

  /// How many pairs hold `count` numbers.
  static func pairs(_ count: Int) -> Int { (count + 1) / 2 }

  /// Columns that lie side by side: as many as a tile has columns, or rows.
  enum Panel: Int {
    case wide = 32
    case narrow = 8

    /// Of column `first`, a multiple of 16, in panels of `height` pairs.
    @inline(__always) func start(_ first: Int, _ height: Int) -> Int {
      first / rawValue * rawValue * height + first % rawValue
    }

    /// Sixteen columns: half a wide panel, or two narrow ones.
    @inline(__always)
    func store(_ value: Lanes, _ to: UnsafeMutablePointer<Float>, _ height: Int) {
      switch self {
      case .wide: to.store(value, 0)
      case .narrow:
        UnsafeMutableRawPointer(to).storeBytes(of: value.lowHalf, as: SIMD8<Float>.self)
        UnsafeMutableRawPointer(to + 8 * height)
          .storeBytes(of: value.highHalf, as: SIMD8<Float>.self)
      }
    }
  }
}
