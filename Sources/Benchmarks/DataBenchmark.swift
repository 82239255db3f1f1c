import Datasets
import Tensors

/// Times the training pipeline alone: reading, decoding, augmenting, to pixels in memory.
public struct DataBenchmark {
  /// What `bench data --json` prints.
  public struct Result: Codable, Sendable {
    /// Of all loader threads together.
    public var imagesPerSecond = 0.0
    public var images = 0
    public var threads = 1
    /// Processor time an image, all threads.
    public var processorMilliseconds = 0.0
    /// Tensor blocks taken from the system after the first pass.
    public var allocationsAfterWarmup = 0
  }

  /// What is done to an image: parts of DeiT's recipe, from nothing to all of it.
  public enum Augmentation: String, Sendable, CaseIterable {
    case none, crop, randaugment, deit

    public var options: AugmentationOptions {
      var options = AugmentationOptions()
      let recipe = AugmentationOptions.deit
      switch self {
      case .none: return options
      case .deit: return recipe
      case .randaugment: options.randAugment = recipe.randAugment
      case .crop: break
      }
      options.crop = recipe.crop
      options.horizontalFlip = recipe.horizontalFlip
      return options
    }
  }

  public var source: any SampleSource
  public var image: ImageShape
  public var augmentation: AugmentationOptions
  public var decoding = DecodingOptions()
  public var threads = 1
  /// Passes over the data, after one that is not timed.
  public var passes = 3

  public init(source: any SampleSource, image: ImageShape, augmentation: AugmentationOptions) {
    self.source = source
    self.image = image
    self.augmentation = augmentation
  }

  public func run() throws -> Result {
    let batch = 32
    let pipeline = try BatchPipeline(
      source: source, image: image, batchSize: batch, virtualShards: 1, seed: 1,
      augmentation: augmentation, decoding: decoding)
    let steps = pipeline.plan.stepsPerEpoch
    let requests = (0...passes).lazy.flatMap { epoch in
      (0..<steps).lazy.map { ShardRequest(epoch: epoch, step: $0, shard: 0) }
    }
    let pool = BufferPool()
    let prefetcher = Prefetcher(pipeline, requests, threads: threads, depth: 4, pool: pool)
    for _ in 0..<steps { _ = try prefetcher.next() }

    let allocations = pool.statistics.allocations
    let processor = Machine.processorSeconds
    var result = Result()
    let time = try ContinuousClock().measure {
      while let batch = try prefetcher.next() { result.images += batch.count }
    }
    result.threads = threads
    result.imagesPerSecond = Double(result.images) / time.inSeconds
    result.processorMilliseconds =
      1000 * (Machine.processorSeconds - processor) / Double(result.images)
    result.allocationsAfterWarmup = pool.statistics.allocations - allocations
    return result
  }
}
