import Datasets

/// Where a rank's batches come from: one per local virtual shard, step after step.
public protocol ShardBatches: AnyObject {
  /// The next shard's batch; empty where the last batch of an epoch leaves a shard without samples.
  func next() throws -> Batch
  /// Seconds the training loop has waited for batches since the start.
  var secondsWaited: Double { get }
}
