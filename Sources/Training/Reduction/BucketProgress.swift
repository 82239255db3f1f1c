import Autograd

/// How much of each bucket is final in the last shard's backward pass.
struct BucketProgress {
  /// Elements of the slab.
  let count: Int
  private let partition: SlabPartition
  private let bucketSize: Int
  /// End of the last parameter, its gap included; what follows belongs to no parameter.
  private let end: Int
  private var missing: [Int] = []

  init(_ layout: ParameterLayout, _ partition: SlabPartition) {
    count = layout.count
    self.partition = partition
    bucketSize = partition.buckets.first?.count ?? 1
    end = Self.rounded(layout.entries.last?.range.upperBound ?? 0)
    reset()
  }

  /// A parameter's range reaches to the next multiple of 16, where the next parameter starts.
  private static func rounded(_ element: Int) -> Int { (element + 15) / 16 * 16 }

  mutating func reset() {
    missing.removeAll(keepingCapacity: true)
    for bucket in partition.buckets {
      missing.append(min(bucket.upperBound, end) - min(bucket.lowerBound, end))
    }
  }

  /// Notes that a parameter's range is final and reports each bucket that is thereby complete.
  mutating func note(_ range: Range<Int>, completed: (Int) throws -> Void) rethrows {
    precondition(range.lowerBound % 16 == 0, "\(range) does not start where a parameter does")
    var range = range.lowerBound..<min(end, Self.rounded(range.upperBound))
    while !range.isEmpty {
      let bucket = (count - range.upperBound) / bucketSize
      let start = max(range.lowerBound, partition.buckets[bucket].lowerBound)
      missing[bucket] -= range.upperBound - start
      precondition(missing[bucket] >= 0, "elements below \(range.upperBound) were ready twice")
      if missing[bucket] == 0 { try completed(bucket) }
      range = range.lowerBound..<start
    }
  }

  /// Reports the buckets that are not complete yet: parameters that this step did not touch.
  mutating func complete(_ completed: (Int) throws -> Void) rethrows {
    for bucket in missing.indices where missing[bucket] > 0 {
      missing[bucket] = 0
      try completed(bucket)
    }
  }
}

/// Buckets whose transfers have started and whose tree is not finished, first in, first out.
struct BucketQueue {
  private(set) var isOpen = false
  private var buckets: [Int] = []
  private var head = 0

  mutating func reset() {
    buckets.removeAll(keepingCapacity: true)
    head = 0
    isOpen = false
  }

  mutating func open() { isOpen = true }
  mutating func append(_ bucket: Int) { buckets.append(bucket) }
  var first: Int? { head < buckets.count ? buckets[head] : nil }

  mutating func removeFirst() -> Int? {
    guard let first else { return nil }
    head += 1
    return first
  }
}
