import Datasets
import Tensors

/// Where a rank's batches come from: one per local virtual shard, step after step.
public protocol ShardBatches: AnyObject {
  /// The next shard's batch; empty where the last batch of an epoch leaves a shard without samples.
  func next() throws -> Batch
  /// Seconds the training loop has waited for batches since the start.
  var secondsWaited: Double { get }
}

/// Batches of a data set, made ahead of their need by loader threads.
public final class LoadedBatches: ShardBatches {
  private let prefetcher: Prefetcher<BatchPipeline>

  /// - Parameters:
  ///   - first: the step to begin with; its place in the epoch costs nothing to find.
  ///   - shards: the virtual shards of this rank.
  ///   - depth: batches held ready at most.
  public init(
    _ pipeline: BatchPipeline, plan: TrainingPlan, from first: Int, shards: Range<Int>,
    threads: Int, depth: Int, pool: BufferPool
  ) {
    prefetcher = Prefetcher(
      pipeline, plan.requests(from: first, shards: shards), threads: threads, depth: depth,
      pool: pool)
  }

  public func next() throws -> Batch {
    guard let batch = try prefetcher.next() else {
      preconditionFailure("more batches were asked for than the plan has")
    }
    return batch
  }

  public var secondsWaited: Double { prefetcher.secondsWaited }
}
