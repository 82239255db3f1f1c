import Archives
import Configuration
import Datasets
import Networks

/// Which images, and what is done to them.
public struct DataOptions: Configurable {
  /// A folder of shards, or one file.
  public var train = ""
  /// The same for evaluation; empty for none.
  public var validation = ""
  /// Names a part of files that hold several, e.g. `train`.
  public var trainSplit = ""
  public var validationSplit = ""
  public var augmentation = AugmentationOptions()
  public var evaluation = EvaluationOptions()
  public var decoding = DecodingOptions()
  /// Threads that prepare batches, for each thread that trains.
  public var loaderThreads = 1
  /// Batches of a virtual shard that are held ready at most, for each thread that trains.
  public var prefetch = 8

  public init() {}

  public func validate() throws {
    guard (0...64).contains(loaderThreads) else {
      throw ConfigurationError(
        "loaderThreads", "\(loaderThreads) is outside 0...64",
        remedy: "Give 1 for most machines, 0 to load in the training thread")
    }
    guard prefetch > 0 else {
      throw ConfigurationError(
        "prefetch", "\(prefetch) is not positive", remedy: "Give an integer of at least 1")
    }
  }
}

extension ClassifierDescription {
  public var imageShape: ImageShape { ImageShape(size: side, channels: channels) }
  public var statistics: PixelStatistics { PixelStatistics(mean: mean, std: deviation) }

  /// Refuses a data set whose labels the model cannot name.
  public func check(_ source: any SampleSource, path: String) throws {
    guard source.classes.count > classes else { return }
    throw ArchiveError(
      .badData, path: path,
      "the data set has \(source.classes.count) classes, the model \(classes)",
      remedy: "Set model.classes to \(source.classes.count), or give other data")
  }
}
