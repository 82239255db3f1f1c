import Collectives
import Tensors

/// The messages of one step: which sums go to which owner, and where those that come in lie.
///
/// The plan is fixed at the start and the tables are used again, so a step allocates nothing.
final class ReductionExchange {
  private let partition: SlabPartition
  private let communicator: any Communicator
  /// Owner of each part of the tree, left to right.
  private let owners: [Int]
  private let inbox: Buffer
  /// Elements that come in during a step.
  let inboxCount: Int
  /// First element in the inbox of each bucket's remote parts.
  private let inboxStart: [Int]
  private var sends: [Transfer] = []
  /// Receives of each bucket that have not been seen to end.
  private var receives: [[Transfer]]
  private var parts: [SlabKernels.Pointer] = []

  init(
    _ partition: SlabPartition, _ owners: [Int], _ communicator: any Communicator,
    _ pool: BufferPool
  ) {
    self.partition = partition
    self.communicator = communicator
    self.owners = owners
    let remote = owners.count { $0 != communicator.rank }
    var end = 0
    inboxStart = partition.buckets.indices.map { bucket in
      defer { end += remote * partition.part(of: bucket, rank: communicator.rank).count }
      return end
    }
    inboxCount = end
    inbox = pool.take(end)
    receives = partition.buckets.map { _ in [] }
  }

  /// Ranks other than this one, each rank starting at another, so that no one is everybody's first.
  private var peers: some Sequence<Int> {
    (1..<max(1, communicator.size)).lazy.map { [communicator] in
      (communicator.rank + $0) % communicator.size
    }
  }

  private static func bytes(_ pointer: SlabKernels.Pointer, _ count: Int)
    -> UnsafeMutableRawBufferPointer
  {
    UnsafeMutableRawBufferPointer(start: pointer, count: count * MemoryLayout<Float>.stride)
  }

  /// Starts all receives of the step. Early, so that no message waits for memory.
  func startReceives() throws {
    for bucket in partition.buckets.indices {
      let count = partition.part(of: bucket, rank: communicator.rank).count
      if count == 0 { continue }
      var place = inbox.pointer + inboxStart[bucket]
      for owner in owners where owner != communicator.rank {
        receives[bucket].append(
          try communicator.startReceive(Self.bytes(place, count), from: owner, tag: bucket))
        place += count
      }
    }
  }

  /// Sends the slices of a bucket to their owners; `nodes` are this rank's sums, left to right.
  func startSends(of bucket: Int, nodes: (Int) -> SlabKernels.Pointer, count nodeCount: Int) throws
  {
    for peer in peers {
      let part = partition.part(of: bucket, rank: peer)
      if part.isEmpty { continue }
      for node in 0..<nodeCount {
        let bytes = Self.bytes(nodes(node) + part.lowerBound, part.count)
        sends.append(
          try communicator.startSend(UnsafeRawBufferPointer(bytes), to: peer, tag: bucket))
      }
    }
  }

  /// Whether all sums for this rank's part of the bucket are here.
  func hasArrived(_ bucket: Int) throws -> Bool {
    while let transfer = receives[bucket].last {
      if try !communicator.isComplete(transfer) { return false }
      receives[bucket].removeLast()
    }
    return true
  }

  func waitForReceives(of bucket: Int) throws {
    try communicator.wait(receives[bucket])
    receives[bucket].removeAll(keepingCapacity: true)
  }

  func waitForSends() throws {
    try communicator.wait(sends)
    sends.removeAll(keepingCapacity: true)
  }

  /// The sums of all parts of the tree for this rank's part of a bucket, left to right.
  func withParts(
    of bucket: Int, nodes: (Int) -> SlabKernels.Pointer,
    _ body: (UnsafeBufferPointer<SlabKernels.Pointer>, Range<Int>) -> Void
  ) {
    let range = partition.part(of: bucket, rank: communicator.rank)
    if range.isEmpty { return }
    parts.removeAll(keepingCapacity: true)
    var place = inbox.pointer + inboxStart[bucket]
    var mine = 0
    for owner in owners {
      if owner == communicator.rank {
        parts.append(nodes(mine) + range.lowerBound)
        mine += 1
      } else {
        parts.append(place)
        place += range.count
      }
    }
    parts.withUnsafeBufferPointer { body($0, range) }
  }

  /// Whether the sums that other ranks sent for this rank's part of a bucket are finite.
  func areRemotePartsFinite(of bucket: Int) -> Bool {
    let count = partition.part(of: bucket, rank: communicator.rank).count
    let remote = owners.count { $0 != communicator.rank }
    return SlabKernels.isFinite(inbox.pointer + inboxStart[bucket], count: remote * count)
  }

  /// All-gathers the owned parts of `values` in place.
  func gather(_ values: UnsafeMutablePointer<Float>) throws {
    for bucket in partition.buckets.indices {
      for peer in peers {
        let part = partition.part(of: bucket, rank: peer)
        if part.isEmpty { continue }
        let bytes = Self.bytes(values + part.lowerBound, part.count)
        sends.append(try communicator.startReceive(bytes, from: peer, tag: Self.gatherTag + bucket))
      }
    }
    for bucket in partition.buckets.indices {
      let part = partition.part(of: bucket, rank: communicator.rank)
      if part.isEmpty { continue }
      let bytes = UnsafeRawBufferPointer(Self.bytes(values + part.lowerBound, part.count))
      for peer in peers {
        sends.append(try communicator.startSend(bytes, to: peer, tag: Self.gatherTag + bucket))
      }
    }
    try waitForSends()
  }

  private static let gatherTag = 1 << 14
}
