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

  public init(seed: UInt64, batches: BatchPlan, microBatch: Int, totalSteps: Int) {
    precondition(microBatch > 0 && totalSteps >= 0, "\(microBatch) a micro-batch, \(totalSteps)")
    self.seed = seed
    self.batches = batches
    self.microBatch = microBatch
    self.totalSteps = totalSteps
  }

  public var stepsPerEpoch: Int { batches.stepsPerEpoch }
  public func epoch(of step: Int) -> Int { step / stepsPerEpoch }

  /// Samples of a step's global batch: all of it but in the last step of an epoch.
  public func samples(in step: Int) -> Int { batches.samples(inStep: step % stepsPerEpoch) }

  /// Samples of all steps before `step`.
  public func samples(before step: Int) -> Int {
    epoch(of: step) * batches.sampleCount + step % stepsPerEpoch * batches.batchSize
  }

  public func moment(of step: Int) -> Moment {
    Moment(step: step, stepsPerEpoch: stepsPerEpoch, totalSteps: totalSteps)
  }

  public var runLength: RunLength {
    RunLength(
      totalSteps: totalSteps, stepsPerEpoch: stepsPerEpoch, batchSize: batches.batchSize)
  }

  /// What a rank with these shards asks of its loader from step `first` on, in order.
  func requests(from first: Int, shards: Range<Int>) -> some Sequence<ShardRequest> {
    (first..<max(first, totalSteps)).lazy.flatMap { step in
      shards.lazy.map {
        ShardRequest(epoch: epoch(of: step), step: step % stepsPerEpoch, shard: $0)
      }
    }
  }
}
