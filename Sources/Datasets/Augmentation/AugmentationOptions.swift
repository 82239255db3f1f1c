import Configuration

/// What is done to a training image on its way into a batch, in this order: crop and resize, flip,
/// colour jitter, RandAugment, to numbers in 0...1, random erasing, patch by patch, then mixing
/// within the shard.
///
/// The defaults do nothing. `deit` holds the values of DeiT (Touvron et al., 2021).
public struct AugmentationOptions: Configurable {
  public var crop = CropOptions()
  public var interpolation = ResizeInterpolation.bicubic
  /// Probability of a horizontal flip.
  public var horizontalFlip = 0.0
  public var colorJitter = ColorJitterOptions()
  public var randAugment = RandAugmentOptions()
  public var randomErasing = RandomErasingOptions()
  public var patches = PatchAugmentationOptions()
  public var mixup = MixupOptions()
  public var cutmix = CutMixOptions()
  public var mixing = MixingOptions()
  /// Repeated augmentation: how many times a sample comes up in succession, each time with other
  /// draws. An epoch keeps its length; over `repeats` epochs every sample is seen `repeats` times.
  public var repeats = 1

  public init() {}

  /// DeiT's training recipe: random resized crop, RandAugment `rand-m9-mstd0.5-inc1`, erasing 0.25,
  /// mixup 0.8 and CutMix 1.0. Repeated augmentation (3 in DeiT) is left at 1.
  public static var deit: AugmentationOptions {
    var options = AugmentationOptions()
    options.crop.kind = .randomResized
    options.horizontalFlip = 0.5
    options.randAugment.layers = 2
    options.randomErasing.probability = 0.25
    options.mixup.alpha = 0.8
    options.cutmix.alpha = 1
    return options
  }

  public func validate() throws {
    try requireProbability(horizontalFlip, "horizontalFlip")
    let parts: [(name: String, options: any Configurable)] = [
      ("crop", crop), ("colorJitter", colorJitter), ("randAugment", randAugment),
      ("randomErasing", randomErasing), ("patches", patches), ("mixup", mixup), ("cutmix", cutmix),
      ("mixing", mixing),
    ]
    for part in parts {
      do {
        try part.options.validate()
      } catch let error as ConfigurationError { throw error.under(part.name) }
    }
    guard (1...64).contains(repeats) else {
      throw ConfigurationError(
        "repeats", "\(repeats) is outside 1...64",
        remedy: "Give 1 for no repeated augmentation, or 3 as in DeiT")
    }
  }

  /// Some pair of samples of a shard is mixed.
  public var mixes: Bool { mixing.probability > 0 && (mixup.alpha > 0 || cutmix.alpha > 0) }
}

/// Interpolation of a resize in training.
public enum ResizeInterpolation: String, Codable, Sendable, CaseIterable {
  case bilinear
  case bicubic
  /// One of the two for each sample.
  case random
}

func requireProbability(_ value: Double, _ key: String) throws {
  guard value >= 0, value <= 1 else {
    throw ConfigurationError(
      key, "\(value) is not a probability", remedy: "Give a number from 0 to 1")
  }
}
