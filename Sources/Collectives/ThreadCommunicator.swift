import Glibc

/// Ranks that are threads of one process, so that everything above is tested at any number of
/// ranks without a launcher. Blocks, never spins; when one rank throws, the others' calls throw.
public final class ThreadCommunicator: Communicator, @unchecked Sendable {
  public let rank: Int
  private let world: ThreadWorld

  init(rank: Int, world: ThreadWorld) {
    self.rank = rank
    self.world = world
  }

  public var size: Int { world.size }
  public var localRank: Int { rank }
  public var localSize: Int { size }

  public func barrier() throws { try world.barrier(rank: rank) }

  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws {
    try world.share(UnsafeRawBufferPointer(bytes), rank: rank) { all in
      precondition(all[root].count == bytes.count, "broadcast of \(all[root].count) bytes")
      if self.rank != root && bytes.count > 0 { bytes.copyMemory(from: all[root]) }
    }
  }

  public func allGather(_ bytes: UnsafeRawBufferPointer) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    try world.share(bytes, rank: rank) { all in result = all.map { Array($0) } }
    return result
  }

  public func allGather(
    _ bytes: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer, counts: [Int]
  ) throws {
    try world.share(bytes, rank: rank) { all in
      precondition(all.map(\.count) == counts, "\(counts) bytes expected, \(all.map(\.count)) came")
      var start = 0
      for part in all {
        let target = UnsafeMutableRawBufferPointer(rebasing: result[start..<start + part.count])
        if part.count > 0 { target.copyMemory(from: part) }
        start += part.count
      }
    }
  }

  public func gather(_ bytes: UnsafeRawBufferPointer, to root: Int) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    try world.share(bytes, rank: rank) { all in
      if self.rank == root { result = all.map { Array($0) } }
    }
    return result
  }

  public func allReduce(_ values: [Int], by combination: Combination) throws -> [Int] {
    var result = values
    try values.withUnsafeBytes { bytes in
      try world.share(bytes, rank: rank) { all in
        for (other, part) in all.enumerated() where other != self.rank {
          for (i, value) in part.bindMemory(to: Int.self).enumerated() {
            switch combination {
            case .sum: result[i] += value
            case .maximum: result[i] = max(result[i], value)
            case .minimum: result[i] = min(result[i], value)
            }
          }
        }
      }
    }
    return result
  }

  public func allReduceSum(_ floats: UnsafeMutableBufferPointer<Float>) throws {
    var sum = [Float](repeating: 0, count: floats.count)
    try world.share(UnsafeRawBufferPointer(floats), rank: rank) { all in
      for part in all {
        for (i, value) in part.bindMemory(to: Float.self).enumerated() { sum[i] += value }
      }
    }
    _ = floats.update(from: sum)
  }

  public func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> Transfer
  {
    try world.add(Parcel(sending: bytes, from: rank, to: peer, tag: tag), rank: rank)
  }

  public func startReceive(_ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int) throws
    -> Transfer
  {
    try world.add(Parcel(receiving: bytes, from: peer, to: rank, tag: tag), rank: rank)
  }

  public func isComplete(_ transfer: Transfer) throws -> Bool {
    try world.isComplete(transfer, rank: rank)
  }

  public func wait(_ transfers: [Transfer]) throws { try world.wait(transfers, rank: rank) }
  public func poll() throws {}

  /// Ends this thread; the other ranks' next call throws and names this rank and the code.
  public func abort(exitCode: Int32) -> Never {
    world.fail(rank: rank, "stopped the job with exit code \(exitCode)")
    pthread_exit(nil)
  }
}
