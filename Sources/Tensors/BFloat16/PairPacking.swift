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
}
