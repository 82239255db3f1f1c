import Configuration

/// How an epoch's slots are cut into global batches and virtual shards. Pure arithmetic.
///
/// A batch is `batchSize` consecutive slots, a shard of it `batchSize / virtualShards` consecutive
/// ones. The last batch of an epoch may be short; it is cut into the same number of shards whose
/// sizes differ by at most one, some of them perhaps empty. Nothing is padded, nothing dropped.
public struct BatchPlan: Sendable, Equatable {
  public let sampleCount: Int
  public let batchSize: Int
  public let virtualShards: Int

  /// - Throws: `ConfigurationError` if the shards do not divide the batch or there are no samples.
  public init(sampleCount: Int, batchSize: Int, virtualShards: Int) throws {
    guard sampleCount > 0 else {
      throw ConfigurationError(
        "data.train", "the data set has no samples", remedy: "Name shards that hold images")
    }
    guard virtualShards > 0, batchSize > 0, batchSize % virtualShards == 0 else {
      throw ConfigurationError(
        "batch.size", "\(batchSize) is not a multiple of batch.virtualShards (\(virtualShards))",
        remedy: "Make batch.size a positive multiple of \(max(1, virtualShards))")
    }
    (self.sampleCount, self.batchSize) = (sampleCount, batchSize)
    self.virtualShards = virtualShards
  }

  public var stepsPerEpoch: Int { (sampleCount + batchSize - 1) / batchSize }

  /// Samples of a full shard.
  public var shardSize: Int { batchSize / virtualShards }

  /// Samples of the global batch of a step (of its epoch): the divisor of its loss.
  public func samples(inStep step: Int) -> Int { slots(step: step).count }

  /// Slots of the global batch.
  public func slots(step: Int) -> Range<Int> {
    precondition(step >= 0 && step < stepsPerEpoch, "step \(step) of \(stepsPerEpoch)")
    return step * batchSize..<min((step + 1) * batchSize, sampleCount)
  }

  /// Slots of one virtual shard of the global batch.
  public func slots(step: Int, shard: Int) -> Range<Int> {
    precondition(shard >= 0 && shard < virtualShards, "shard \(shard) of \(virtualShards)")
    let batch = slots(step: step)
    return batch.lowerBound + batch.count * shard
      / virtualShards..<batch.lowerBound + batch.count * (shard + 1) / virtualShards
  }

  /// - Throws: `ConfigurationError` if samples are to be mixed in shards of odd size, whose middle
  ///   sample would have no partner.
  public func checkMixing(_ options: AugmentationOptions) throws {
    guard options.mixes, shardSize % 2 == 1 else { return }
    throw ConfigurationError(
      "batch.size",
      "mixup and CutMix pair the samples of a virtual shard, and a batch of \(batchSize) over "
        + "\(virtualShards) shards makes shards of \(shardSize)",
      remedy: "Make batch.size a multiple of \(2 * virtualShards)")
  }
}
