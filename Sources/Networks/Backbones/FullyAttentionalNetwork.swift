import Autograd
import Configuration
import Tensors

/// Options of the Fully Attentional Network (Zhou et al., 2022): self-attention over tokens and over
/// channels, class attention at the end.
public struct FullyAttentionalNetwork: Configurable {
  /// What makes tokens of pixels.
  public enum Stem: String, Codable, Sendable {
    /// Four convolutions: FAN-ViT.
    case convolutional
    /// Two stages of ConvNeXt: FAN-Hybrid.
    case convnext
  }

  public var imageSize = 224
  public var channels = 3
  public var classes = 1000
  public var stem = Stem.convolutional
  /// Widths and blocks of the two stages of a ConvNeXt stem.
  public var stemWidths = [128, 256]
  public var stemDepths = [3, 3]
  public var width = 384
  public var depth = 12
  public var heads = 8
  /// Width of the feed-forward layers over `width`.
  public var mlpRatio = 4.0
  /// Blocks at the end in which only the class token attends.
  public var classBlocks = 2
  /// Rate of every block with attention over tokens and channels.
  public var dropPath = 0.0
  public var epsilon: Float = 1e-6
  /// Factor on the first weights of the head.
  public var headScale: Float = 1
  /// Pixel normalisation per channel; empty for ImageNet's (three channels) or one half.
  public var mean: [Float] = []
  public var deviation: [Float] = []
  /// Keep only each block's input and run the block again in the backward pass.
  public var recomputeBlocks = false

  public init() {}

  public var hidden: Int { Int((Double(width) * mlpRatio).rounded()) }

  public func validate() throws {
    try BackboneChecks.positive([
      ("imageSize", imageSize), ("channels", channels), ("width", width), ("depth", depth),
      ("heads", heads), ("classBlocks", classBlocks),
    ])
    try BackboneChecks.sixteenths(imageSize: imageSize)
    try BackboneChecks.heads(heads, divide: width, keys: ("heads", "width"))
    switch stem {
    case .convolutional:
      guard width % 8 == 0 else {
        throw ConfigurationError(
          "width", "\(width) is not a multiple of 8",
          remedy: "Give a multiple of 8: the convolutions grow from an eighth of it")
      }
    case .convnext:
      for (key, values) in [("stemWidths", stemWidths), ("stemDepths", stemDepths)] {
        guard values.count == 2 else {
          throw ConfigurationError(
            key, "has \(values.count) numbers", remedy: "Give one for each of the two stages")
        }
        try BackboneChecks.positive(values.map { (key, $0) })
      }
    }
    try BackboneChecks.rest(
      classes: classes, hidden: hidden, mlpRatio: mlpRatio, dropPath: dropPath, epsilon: epsilon)
    guard headScale.isFinite else {
      throw ConfigurationError("headScale", "is \(headScale)", remedy: "Give 1, say")
    }
    try PixelNormalization.check(mean: mean, deviation: deviation, channels: channels)
  }
}

extension FullyAttentionalNetwork: Backbone, CatalogKind {
  public static let kind = "fan"
  public static let about = "a Fully Attentional Network of any size"

  public var gridSize: Int { imageSize / 16 }
  public var choice: Choice<BackboneCatalog> { Choice(self) }

  public func build(in scope: Scope, pool: BufferPool) -> any Classifier {
    FullyAttentionalModel(self, scope, pool: pool)
  }
}
