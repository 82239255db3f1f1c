import Autograd
import Configuration
import Tensors

/// Options of the Robust Vision Transformer (Mao et al., 2022): a convolutional front, no class token
/// and no position embedding, feed-forward layers that see neighbouring tokens. Its `plus` models
/// scale attention by position.
public struct RobustVisionTransformer: Configurable {
  public enum FeedForwardKind: String, Codable, Sendable {
    /// With a depthwise convolution and batch normalisation: RVT-Ti and RVT-S.
    case convolutional
    /// Two linear maps: RVT-B.
    case plain
  }

  /// One run of blocks on a grid of tokens.
  struct Stage {
    /// Tokens along one side.
    let side: Int
    let width: Int
    let heads: Int
    let depth: Int
  }

  public var imageSize = 224
  public var channels = 3
  public var classes = 1000
  /// Width, heads and blocks of every stage; between stages the grid is halved.
  public var widths = [384]
  public var heads = [6]
  public var depths = [12]
  /// Width of the feed-forward layer over that of its stage.
  public var mlpRatio = 4.0
  public var feedForward = FeedForwardKind.convolutional
  /// How many leading blocks of the first stage scale their attention by position (PAAS).
  public var maskedBlocks = 0
  /// Queries, keys and values from a convolution over neighbouring tokens (RSPC's variant).
  public var patchReasoning = false
  /// Rate that a block behind the last would have; earlier ones have less, linearly.
  public var dropPath = 0.0
  public var epsilon: Float = 1e-6
  /// Pixel normalisation per channel; empty for ImageNet's (three channels) or one half.
  public var mean: [Float] = []
  public var deviation: [Float] = []
  /// Keep only each block's input and run the block again in the backward pass.
  public var recomputeBlocks = false

  public init() {}

  func hidden(_ width: Int) -> Int { Int((Double(width) * mlpRatio).rounded()) }

  var stages: [Stage] {
    var side = gridSize
    return widths.indices.map { index in
      defer { side = Self.halving(side).output }
      return Stage(
        side: side, width: widths[index], heads: heads[index], depth: depths[index])
    }
  }

  /// The convolution between two stages.
  static func halving(_ side: Int) -> SlidingWindow {
    SlidingWindow(side: side, kernel: 3, stride: 2, padding: 1)
  }

  public func validate() throws {
    try BackboneChecks.positive([("imageSize", imageSize), ("channels", channels)])
    try BackboneChecks.sixteenths(imageSize: imageSize)
    guard !widths.isEmpty, widths.count == heads.count, widths.count == depths.count else {
      throw ConfigurationError(
        "widths",
        "\(widths.count) widths, \(heads.count) heads and \(depths.count) depths make no stages",
        remedy: "Give widths, heads and depths one number for every stage")
    }
    for stage in widths.indices {
      try BackboneChecks.positive([
        ("widths", widths[stage]), ("heads", heads[stage]), ("depths", depths[stage]),
      ])
      try BackboneChecks.heads(
        heads[stage], divide: widths[stage], keys: ("heads", "a width of"))
      if stage > 0, widths[stage] % widths[stage - 1] != 0 {
        throw ConfigurationError(
          "widths", "\(widths[stage]) is not a multiple of \(widths[stage - 1]) before it",
          remedy: "Give every stage a multiple of the width of the stage before")
      }
    }
    guard (0...depths[0]).contains(maskedBlocks) else {
      throw ConfigurationError(
        "maskedBlocks", "\(maskedBlocks) of the first stage's \(depths[0]) blocks",
        remedy: "Give a number from 0 to \(depths[0])")
    }
    guard !patchReasoning || widths.allSatisfy({ $0 >= 4 }) else {
      throw ConfigurationError(
        "patchReasoning", "needs widths of at least 4", remedy: "Give widths of 4 or more")
    }
    try BackboneChecks.rest(
      classes: classes, hidden: widths.map(hidden).min() ?? 0, mlpRatio: mlpRatio,
      dropPath: dropPath, epsilon: epsilon)
    try PixelNormalization.check(mean: mean, deviation: deviation, channels: channels)
  }
}

extension RobustVisionTransformer: Backbone, CatalogKind {
  public static let kind = "rvt"
  public static let about = "a Robust Vision Transformer of any size"

  public var gridSize: Int { imageSize / 16 }
  public var choice: Choice<BackboneCatalog> { Choice(self) }

  public func build(in scope: Scope, pool: BufferPool) -> any Classifier {
    RobustVisionTransformerModel(self, scope)
  }
}
