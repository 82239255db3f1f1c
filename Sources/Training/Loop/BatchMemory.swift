import Collectives
import Datasets
import Objectives
import Tensors

/// What a loss remembers for every place of the global batch, of this rank's virtual shards.
///
/// Sample i of shard s has place s · shardSize + i, in the short last batch of an epoch as well, which
/// leaves places of every shard unused. So a shard's part never leaves the rank that has the shard, and
/// means the same on any number of ranks.
public struct BatchMemory {
  /// Elements of all shards.
  public let count: Int
  /// Of these, those of this rank's shards.
  public let range: Range<Int>
  private let values: Tensor
  /// As it was before the step, where steps may be skipped.
  private let kept: Tensor?
  private let shardSize: Int
  private let shardElements: Int
  private let firstShard: Int

  /// - Parameter keepsLast: whether a step may have to be undone.
  /// - Returns: nil for a loss without memory.
  init?(
    of loss: any Loss, _ plan: BatchPlan, shards: Range<Int>, keepsLast: Bool, pool: BufferPool
  ) {
    let size = loss.memorySize
    guard size > 0 else { return nil }
    shardSize = plan.shardSize
    shardElements = shardSize * size
    firstShard = shards.lowerBound
    count = plan.batchSize * size
    range = shards.lowerBound * shardElements..<shards.upperBound * shardElements
    values = .zeros([shards.count * shardSize, size], from: pool)
    kept = keepsLast ? .zeros([shards.count * shardSize, size], from: pool) : nil
  }

  /// The elements of `range`, end to end.
  public var pointer: UnsafeMutablePointer<Float> { values.pointer }

  /// The part of some samples of a shard, `[samples.count, memorySize]`.
  func rows(_ samples: Range<Int>, shard: Int) -> Tensor {
    let start = (shard - firstShard) * shardSize
    return values.slice(start + samples.lowerBound..<start + samples.upperBound)
  }

  /// A step begins.
  func keep() { kept?.pointer.update(from: values.pointer, count: values.count) }

  /// The step is skipped: nothing of it is remembered.
  func restore() {
    if let kept { values.pointer.update(from: kept.pointer, count: values.count) }
  }

  /// Takes over what all ranks remembered of the shards that are this rank's now.
  func take(
    from old: BatchMemory, _ before: ShardAssignment, _ after: ShardAssignment,
    _ communicator: any Communicator
  ) throws {
    var transfers: [Transfer] = []
    for peer in 0..<communicator.size {
      let incoming = before.shards(of: peer).clamped(to: after.shards(of: communicator.rank))
      if !incoming.isEmpty {
        transfers.append(
          try communicator.startReceive(bytes(of: incoming), from: peer, tag: Self.tag))
      }
    }
    for peer in 0..<communicator.size {
      let outgoing = before.shards(of: communicator.rank).clamped(to: after.shards(of: peer))
      if !outgoing.isEmpty {
        let bytes = UnsafeRawBufferPointer(old.bytes(of: outgoing))
        transfers.append(try communicator.startSend(bytes, to: peer, tag: Self.tag))
      }
    }
    try communicator.wait(transfers)
  }

  /// Apart from the reducer's tags, which count buckets.
  private static let tag = 1 << 13

  private func bytes(of shards: Range<Int>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: values.pointer + (shards.lowerBound - firstShard) * shardElements,
      count: shards.count * shardElements * MemoryLayout<Float>.stride)
  }
}
