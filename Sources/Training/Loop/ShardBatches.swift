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
  private let replays: Int
  private let shards: Int
  /// Of the step that is being taken, for its replays.
  private var held: [Batch] = []
  /// The shard whose turn it is, and how many steps the held batches have served.
  private var turn = 0
  private var served: Int

  /// - Parameters:
  ///   - first: the step to begin with; its place in the epoch, and among the replays of its batch,
  ///     costs nothing to find.
  ///   - shards: the virtual shards of this rank.
  ///   - depth: batches held ready at most.
  public init(
    _ pipeline: BatchPipeline, plan: TrainingPlan, from first: Int, shards: Range<Int>,
    threads: Int, depth: Int, pool: BufferPool
  ) {
    replays = plan.replays
    self.shards = shards.count
    served = first % plan.replays
    prefetcher = Prefetcher(
      pipeline, plan.requests(from: first, shards: shards), threads: threads, depth: depth,
      pool: pool)
  }

  public func next() throws -> Batch {
    guard replays > 1 else { return try load() }
    if held.count < shards { held.append(try load()) }
    defer { advance() }
    return held[turn]
  }

  private func advance() {
    turn += 1
    guard turn == shards else { return }
    turn = 0
    served += 1
    guard served == replays else { return }
    served = 0
    held.removeAll(keepingCapacity: true)
  }

  private func load() throws -> Batch {
    guard let batch = try prefetcher.next() else {
      preconditionFailure("more batches were asked for than the plan has")
    }
    return batch
  }

  public var secondsWaited: Double { prefetcher.secondsWaited }
}
