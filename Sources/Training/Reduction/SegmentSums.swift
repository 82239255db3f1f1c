import Autograd
import Collectives

/// Sums of squares over slabs whose bits do not depend on the number of ranks: the gradient norm,
/// and the norms of each parameter's weights and update (LAMB).
///
/// A segment is what a parameter has in one block of `ParameterLayout.blockSize` elements. Blocks
/// have one owner, who sums the segment in `Double` in a fixed order; the segments' sums are
/// all-gathered and added in slab order.
public final class SegmentSums {
  private struct Segment {
    let range: Range<Int>
    let parameter: Int
  }

  private let communicator: any Communicator
  private let roles: [ParameterRole]
  private let segments: [Segment]
  /// Segments of each rank in slab order, as positions in `segments`.
  private let owned: [[Int]]
  private var mine: [Double] = []
  private var all: [Double] = []

  public init(
    _ layout: ParameterLayout, _ partition: SlabPartition, _ communicator: any Communicator
  ) {
    self.communicator = communicator
    roles = layout.entries.map(\.role)
    let segments = layout.entries.enumerated().flatMap { index, entry in
      Self.segments(of: entry.range, parameter: index)
    }
    self.segments = segments
    owned = (0..<partition.ranks).map { rank in
      let ranges = partition.ranges(of: rank)
      return segments.indices.filter { i in
        ranges.contains { $0.contains(segments[i].range.lowerBound) }
      }
    }
  }

  private static func segments(of range: Range<Int>, parameter: Int) -> [Segment] {
    var result: [Segment] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let block = start / ParameterLayout.blockSize
      let end = min(range.upperBound, (block + 1) * ParameterLayout.blockSize)
      result.append(Segment(range: start..<end, parameter: parameter))
      start = end
    }
    return result
  }

  /// Sums of squares of slabs of the layout, of which this rank's owned ranges are read. A sum is
  /// not finite exactly if an element of its parameter is not. On all ranks, in one exchange.
  public func squares(of slabs: UnsafePointer<Float>...) throws -> [Squares] {
    mine.removeAll(keepingCapacity: true)
    for slab in slabs {
      for index in owned[communicator.rank] {
        let range = segments[index].range
        mine.append(Self.sumOfSquares(slab + range.lowerBound, range.count))
      }
    }
    let counts = owned.map { $0.count * slabs.count * MemoryLayout<Double>.stride }
    if all.isEmpty || all.count < segments.count * slabs.count {
      all = Array(repeating: 0, count: segments.count * slabs.count)
    }
    try all.withUnsafeMutableBytes { all in
      try mine.withUnsafeBytes { try communicator.allGather($0, into: all, counts: counts) }
    }
    return slabs.indices.map { added(slab: $0, of: slabs.count) }
  }

  /// The gathered sums come rank by rank and slab by slab; they are added in slab order.
  private func added(slab: Int, of slabs: Int) -> Squares {
    var ordered = [Double](repeating: 0, count: segments.count)
    var start = 0
    for positions in owned {
      for (i, position) in positions.enumerated() {
        ordered[position] = all[start + slab * positions.count + i]
      }
      start += positions.count * slabs
    }
    var perParameter = [Double](repeating: 0, count: roles.count)
    for (segment, value) in zip(segments, ordered) { perParameter[segment.parameter] += value }
    return Squares(perParameter: perParameter, roles: roles)
  }

  /// Sixteen lanes in the order of the elements, then a fixed tree; squares of floats are exact.
  static func sumOfSquares(_ pointer: UnsafePointer<Float>, _ count: Int) -> Double {
    var low = SIMD8<Double>.zero
    var high = SIMD8<Double>.zero
    let raw = UnsafeRawPointer(pointer)
    for i in 0..<count / 16 {
      let a = SIMD8<Double>(raw.loadUnaligned(fromByteOffset: 64 * i, as: SIMD8<Float>.self))
      let b = SIMD8<Double>(raw.loadUnaligned(fromByteOffset: 64 * i + 32, as: SIMD8<Float>.self))
      low += a * a
      high += b * b
    }
    let lanes = low + high
    let four = lanes.lowHalf + lanes.highHalf
    let two = four.lowHalf + four.highHalf
    var sum = two.x + two.y
    for i in count / 16 * 16..<count { sum += Double(pointer[i]) * Double(pointer[i]) }
    return sum
  }
}

extension SegmentSums {
  /// Sums of squares of one slab.
  public struct Squares: Sendable, Equatable {
    /// One a parameter, in the order of the layout.
    public let perParameter: [Double]
    let roles: [ParameterRole]

    /// Euclidean norm over all parameters of a role.
    public func norm(_ role: ParameterRole = .weight) -> Double {
      zip(perParameter, roles).reduce(0) { $0 + ($1.1 == role ? $1.0 : 0) }.squareRoot()
    }
    /// Position in the layout of the last parameter with an element that is not finite: the first that
    /// the backward pass came to.
    public var lastNonFinite: Int? { perParameter.lastIndex { !$0.isFinite } }
  }
}
