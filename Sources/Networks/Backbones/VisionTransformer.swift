import Autograd
import Configuration
import Tensors

/// Options of the ViT and DeiT family (Dosovitskiy et al., 2021; Touvron et al., 2021).
public struct VisionTransformer: Configurable {
  public enum Pooling: String, Codable, Sendable {
    /// The class token is read.
    case token
    /// The mean of the patch tokens is read, then normalised (timm's `fc_norm`).
    case mean
  }

  public enum Position: String, Codable, Sendable {
    case learned
    /// sin and cos of pos / 10000^(2j/width), fixed.
    case sinusoidal
  }

  /// The first values of the weights.
  public enum Initialization: String, Codable, Sendable {
    /// timm's and DeiT's: normal with deviation 0.02 whatever the width. Made for widths from 192
    /// up; narrow models take an epoch to leave their start.
    case timm
    /// The original ViT's: Xavier-uniform maps, a head of zeros (so that the first loss is exactly
    /// log classes), a patch projection of variance 1/inputs.
    case jax
  }

  public var imageSize = 224
  public var patchSize = 16
  public var channels = 3
  public var width = 768
  public var depth = 12
  public var heads = 12
  /// Width of the feed-forward layer over `width`.
  public var mlpRatio = 4.0
  public var classes = 1000
  public var pooling = Pooling.token
  public var classToken = true
  /// A second token and a second head, taught by a teacher (DeiT).
  public var distilled = false
  public var position = Position.learned
  public var gelu = Gelu.erf
  public var initialization = Initialization.timm
  /// Rate of the last block; earlier ones have less, linearly.
  public var dropPath = 0.0
  public var epsilon: Float = 1e-6
  /// Pixel normalisation per channel; empty for ImageNet's (three channels) or one half.
  public var mean: [Float] = []
  public var deviation: [Float] = []
  /// Keep only each block's input and run the block again in the backward pass: a third more time
  /// for a tenth of the memory.
  public var recomputeBlocks = false

  public init() {}

  public var hidden: Int { Int((Double(width) * mlpRatio).rounded()) }
  public var grid: PatchGrid { PatchGrid(channels: channels, side: imageSize, patch: patchSize) }
  public var prefixTokens: Int { (classToken ? 1 : 0) + (distilled ? 1 : 0) }
  public var tokens: Int { prefixTokens + grid.patches }

  /// The normalisation in force.
  public var normalization: (mean: [Float], deviation: [Float]) {
    PixelNormalization.inForce(mean: mean, deviation: deviation, channels: channels)
  }

  public func validate() throws {
    try BackboneChecks.positive([
      ("imageSize", imageSize), ("patchSize", patchSize), ("channels", channels),
      ("width", width), ("depth", depth), ("heads", heads),
    ])
    guard imageSize % patchSize == 0 else {
      throw ConfigurationError(
        "patchSize", "\(patchSize) does not divide imageSize \(imageSize)",
        remedy: "Choose a patch side that divides the image side")
    }
    try BackboneChecks.heads(heads, divide: width, keys: ("heads", "width"))
    try BackboneChecks.rest(
      classes: classes, hidden: hidden, mlpRatio: mlpRatio, dropPath: dropPath, epsilon: epsilon)
    try validateTokens()
    try PixelNormalization.check(mean: mean, deviation: deviation, channels: channels)
  }

  private func validateTokens() throws {
    if pooling == .token, !classToken {
      throw ConfigurationError(
        "classToken", "is false but pooling reads the class token",
        remedy: "Set pooling: mean or classToken: true")
    }
    if distilled, pooling == .mean || !classToken {
      throw ConfigurationError(
        "distilled", "needs pooling: token and a class token",
        remedy: "Set pooling: token and classToken: true, or distilled: false")
    }
  }
}

extension VisionTransformer.Initialization {
  /// Of a linear map's weight.
  func map(inputs: Int, outputs: Int) -> Initializer {
    switch self {
    case .timm: .normal(0.02)
    case .jax: .uniform((6 / Float(inputs + outputs)).squareRoot())
    }
  }

  var head: Initializer { self == .timm ? .normal(0.02) : .constant(0) }
  var classToken: Initializer { self == .timm ? .normal(1e-6) : .constant(0) }

  /// Of the patch projection's weight and bias, whose maps have `inputs` inputs.
  func patch(inputs: Int) -> (weight: Initializer, bias: Initializer) {
    let scale = 1 / Float(inputs).squareRoot()
    return self == .timm ? (.uniform(scale), .uniform(scale)) : (.normal(scale), .constant(0))
  }
}
