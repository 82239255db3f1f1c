import Configuration
import Networks

extension BatchOptions {
  /// A model that normalises by the statistics of what goes through it together must see a whole
  /// virtual shard at once, or the micro-batch would be part of what it computes.
  package func check(for model: any Classifier) throws {
    let shard = size / virtualShards
    guard model.usesBatchStatistics, microBatch != shard else { return }
    throw ConfigurationError(
      "batch.microBatch",
      "\(microBatch) images go through the model at once, but its batch normalisation needs the "
        + "\(shard) of a virtual shard",
      remedy: "Set batch.microBatch: \(shard), which is batch.size / batch.virtualShards")
  }
}
