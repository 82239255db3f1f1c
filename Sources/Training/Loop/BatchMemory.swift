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
  private let shardSize: Int
  private let firstShard: Int

  /// - Returns: nil for a loss without memory.
  init?(of loss: any Loss, _ plan: BatchPlan, shards: Range<Int>, pool: BufferPool) {
    let size = loss.memorySize
    guard size > 0 else { return nil }
    shardSize = plan.shardSize
    firstShard = shards.lowerBound
    count = plan.batchSize * size
    range = shards.lowerBound * shardSize * size..<shards.upperBound * shardSize * size
    values = .zeros([shards.count * shardSize, size], from: pool)
  }

  /// The elements of `range`, end to end.
  public var pointer: UnsafeMutablePointer<Float> { values.pointer }

  /// The part of some samples of a shard, `[samples.count, memorySize]`.
  func rows(_ samples: Range<Int>, shard: Int) -> Tensor {
    let start = (shard - firstShard) * shardSize
    return values.slice(start + samples.lowerBound..<start + samples.upperBound)
  }
}
