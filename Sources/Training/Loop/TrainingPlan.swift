import Datasets
import Objectives
import Optimizers

/// The arithmetic of a run: how many steps of how many samples, cut into how many shards.
public struct TrainingPlan: Sendable, Equatable {
  public let seed: UInt64
  public let batches: BatchPlan
  /// Samples that go through the model at once; a matter of cache, and of bits.
  public let microBatch: Int
  public let totalSteps: Int
  /// Steps in a row on every batch.
  public let replays: Int

  public init(
    seed: UInt64, batches: BatchPlan, microBatch: Int, totalSteps: Int, replays: Int = 1
  ) {
    precondition(microBatch > 0 && totalSteps >= 0, "\(microBatch) a micro-batch, \(totalSteps)")
    precondition(replays > 0, "\(replays) replays")
    self.seed = seed
    self.batches = batches
    self.microBatch = microBatch
    self.totalSteps = totalSteps
    self.replays = replays
  }

  /// Replays count.
  public var stepsPerEpoch: Int { batches.stepsPerEpoch * replays }
  public func epoch(of step: Int) -> Int { step / stepsPerEpoch }

  /// Samples of a step's global batch: all of it but in the last step of an epoch.
  public func samples(in step: Int) -> Int { batches.samples(inStep: batch(of: step)) }

  /// Which batch of its epoch a step trains on.
  private func batch(of step: Int) -> Int { step % stepsPerEpoch / replays }

  /// Samples of all steps before `step`.
  public func samples(before step: Int) -> Int {
    epoch(of: step) * batches.sampleCount * replays
      + batch(of: step) * batches.batchSize * replays + step % replays * samples(in: step)
  }

  public func moment(of step: Int) -> Moment {
    Moment(step: step, stepsPerEpoch: stepsPerEpoch, totalSteps: totalSteps)
  }

  public var runLength: RunLength {
    RunLength(
      totalSteps: totalSteps, stepsPerEpoch: stepsPerEpoch, batchSize: batches.batchSize)
  }

  /// What a rank with these shards asks of its loader from step `first` on, in order: every batch
  /// once, however often it is trained on.
  func requests(from first: Int, shards: Range<Int>) -> some Sequence<ShardRequest> {
    let start = first - first % replays
    return stride(from: start, to: max(start, totalSteps), by: replays).lazy.flatMap { step in
      shards.lazy.map {
        ShardRequest(epoch: epoch(of: step), step: batch(of: step), shard: $0)
      }
    }
  }
}
