import Autograd

/// Which rank owns which part of the parameter slab.
///
/// The slab is cut into buckets from the tail, since the backward pass finishes gradients in that
/// order, and each bucket into one part a rank, in whole blocks of `ParameterLayout.blockSize`
/// elements. A bucket is the unit of exchange; its size trades overlap against message count.
public struct SlabPartition: Sendable, Equatable {
  public let ranks: Int
  /// Elements of each bucket; bucket 0 is the tail of the slab.
  public let buckets: [Range<Int>]

  /// - Parameters:
  ///   - count: elements of the slab, a multiple of the block size.
  ///   - bucketBytes: least size of a bucket; large slabs have larger ones, some 24 in all.
  public init(count: Int, ranks: Int, bucketBytes: Int = 4 << 20) {
    let block = ParameterLayout.blockSize
    precondition(count % block == 0, "a slab of \(count) elements is not in whole blocks")
    precondition(ranks >= 1, "\(ranks) ranks")
    self.ranks = ranks
    let least = max(bucketBytes / MemoryLayout<Float>.stride, count / 24)
    let size = max(1, (least + block - 1) / block) * block
    buckets = stride(from: count, to: 0, by: -size).map { max(0, $0 - size)..<$0 }
  }

  /// The elements of a bucket that a rank owns; may be empty.
  public func part(of bucket: Int, rank: Int) -> Range<Int> {
    let range = buckets[bucket]
    let blocks = range.count / ParameterLayout.blockSize
    let start = range.lowerBound + rank * blocks / ranks * ParameterLayout.blockSize
    let end = range.lowerBound + (rank + 1) * blocks / ranks * ParameterLayout.blockSize
    return start..<end
  }

  /// All elements that a rank owns, ascending, neighbours joined.
  public func ranges(of rank: Int) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for bucket in buckets.indices.reversed() {
      let part = part(of: bucket, rank: rank)
      if part.isEmpty { continue }
      if let last = result.last, last.upperBound == part.lowerBound {
        result[result.count - 1] = last.lowerBound..<part.upperBound
      } else {
        result.append(part)
      }
    }
    return result
  }
}
