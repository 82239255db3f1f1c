import CLanes

/// Sixteen floats, one AVX-512 register. Every kernel is written in these lanes: Swift never
/// vectorises a floating-point reduction by itself, and lanes in the source fix the order of every
/// sum, so that results do not depend on the compiler's mood.
@usableFromInline typealias Lanes = SIMD16<Float>

extension UnsafePointer<Float> {
  @inline(__always) func lanes(_ index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }

  /// The first `count` lanes from memory, the rest `filler`.
  @inline(__always) func lanes(_ index: Int, first count: Int, filler: Float = 0) -> Lanes {
    clanes_load_first(self + index, Int32(truncatingIfNeeded: count), Lanes(repeating: filler))
  }

  /// The first `count` lanes and zeros; a plain load where there are sixteen.
  @inline(__always) func part(_ index: Int, _ count: Int) -> Lanes {
    count == 16 ? lanes(index) : lanes(index, first: count)
  }
}

extension UnsafeMutablePointer<Float> {
  @inline(__always) func lanes(_ index: Int) -> Lanes { UnsafePointer(self).lanes(index) }

  @inline(__always) func lanes(_ index: Int, first count: Int, filler: Float = 0) -> Lanes {
    UnsafePointer(self).lanes(index, first: count, filler: filler)
  }

  @inline(__always) func part(_ index: Int, _ count: Int) -> Lanes {
    UnsafePointer(self).part(index, count)
  }

  @inline(__always) func store(_ value: Lanes, _ index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: value, as: Lanes.self)
  }

  @inline(__always) func store(_ value: Lanes, _ index: Int, first count: Int) {
    clanes_store_first(self + index, Int32(truncatingIfNeeded: count), value)
  }
}

extension SIMD16<Float> {
  /// The first `count` lanes, the rest 0: what of a tail may enter a sum.
  @inline(__always) func first(_ count: Int) -> Lanes {
    clanes_keep_first(self, Int32(truncatingIfNeeded: count), .zero)
  }

  /// Sum by halves: a fixed tree, and four shuffles instead of a serial chain.
  @inline(__always) var total: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// Maximum by halves; NaN lanes lose against numbers.
  @inline(__always) var greatest: Float {
    let eight = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
    return two.y > two.x ? two.y : two.x
  }

  @inline(__always) func greater(of other: Lanes) -> Lanes {
    replacing(with: other, where: other .> self)
  }
}

extension SIMD16<Int32> {
  /// Minimum and maximum by halves: Swift's own walk from lane to lane.
  @inline(__always) var least: Int32 {
    let eight = lowHalf.replacing(with: highHalf, where: highHalf .< lowHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.highHalf .< eight.lowHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .< four.lowHalf)
    return Swift.min(two.x, two.y)
  }

  @inline(__always) var greatest: Int32 {
    let eight = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
    return Swift.max(two.x, two.y)
  }
}

/// Calls `body(index, 16)` for every whole vector of 0 ..< count and `body(index, rest)` for the tail.
/// One call in the source, or the compiler would leave the body a function with its sums in memory.
@inline(__always) func forEachLanes(_ count: Int, _ body: (_ index: Int, _ lanes: Int) -> Void) {
  var index = 0
  while index < count {
    body(index, min(16, count - index))
    index += 16
  }
}
