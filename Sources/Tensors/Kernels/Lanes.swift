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
    var result = Lanes(repeating: filler)
    withUnsafeMutableBytes(of: &result) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: self + index, count: 4 * count))
    }
    return result
  }
}

extension UnsafeMutablePointer<Float> {
  @inline(__always) func lanes(_ index: Int) -> Lanes { UnsafePointer(self).lanes(index) }

  @inline(__always) func lanes(_ index: Int, first count: Int, filler: Float = 0) -> Lanes {
    UnsafePointer(self).lanes(index, first: count, filler: filler)
  }

  @inline(__always) func store(_ value: Lanes, _ index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: value, as: Lanes.self)
  }

  @inline(__always) func store(_ value: Lanes, _ index: Int, first count: Int) {
    withUnsafeBytes(of: value) {
      UnsafeMutableRawPointer(self + index).copyMemory(from: $0.baseAddress!, byteCount: 4 * count)
    }
  }
}

extension SIMD16<Float> {
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

/// Calls `body(index, 16)` for every whole vector of 0 ..< count and `body(index, rest)` for the tail.
@inline(__always) func forEachLanes(_ count: Int, _ body: (_ index: Int, _ lanes: Int) -> Void) {
  var index = 0
  while index + 16 <= count {
    body(index, 16)
    index += 16
  }
  if index < count { body(index, count - index) }
}
