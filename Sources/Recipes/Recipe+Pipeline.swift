import Datasets
import Networks

extension Recipe {
  /// How this run makes batches of a data set.
  public func pipeline(
    over source: any SampleSource, for description: ClassifierDescription
  ) throws -> BatchPipeline {
    try BatchPipeline(
      source: source, image: description.imageShape, batchSize: batch.size,
      virtualShards: batch.virtualShards, seed: UInt64(seed), augmentation: data.augmentation,
      decoding: data.decoding, statistics: description.statistics)
  }
}
