import Optimizers

/// The arithmetic of a run: how many steps of how many samples, cut into how many shards.
public struct TrainingPlan: Sendable, Equatable {
  public var seed: UInt64
  public var samplesPerEpoch: Int
  public var batchSize: Int
  public var virtualShards: Int
  /// Samples that go through the model at once; a matter of cache, and of bits.
  public var microBatch: Int
  public var totalSteps: Int

  public init(
    seed: UInt64, samplesPerEpoch: Int, batchSize: Int, virtualShards: Int, microBatch: Int,
    totalSteps: Int
  ) {
    self.seed = seed
    self.samplesPerEpoch = samplesPerEpoch
    self.batchSize = batchSize
    self.virtualShards = virtualShards
    self.microBatch = microBatch
    self.totalSteps = totalSteps
  }

  public var stepsPerEpoch: Int { (samplesPerEpoch + batchSize - 1) / batchSize }
  public func epoch(of step: Int) -> Int { step / stepsPerEpoch }
  public func stepInEpoch(of step: Int) -> Int { step % stepsPerEpoch }

  /// Samples of a step's global batch: all of it but in the last step of an epoch.
  public func samples(in step: Int) -> Int {
    min(batchSize, samplesPerEpoch - stepInEpoch(of: step) * batchSize)
  }

  /// Samples of all steps before `step`.
  public func samples(before step: Int) -> Int {
    epoch(of: step) * samplesPerEpoch + stepInEpoch(of: step) * batchSize
  }

  public var runLength: RunLength {
    RunLength(totalSteps: totalSteps, stepsPerEpoch: stepsPerEpoch, batchSize: batchSize)
  }
}
