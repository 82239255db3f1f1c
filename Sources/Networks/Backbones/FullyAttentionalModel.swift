import Autograd
import Configuration
import Tensors

/// The FAN network with the parameter names of its authors' code.
///
/// Taps: `blocks.i.attn.weights` `[batch, heads, tokens, tokens]`, `blocks.i.output`
/// `[batch, tokens, width]`, `cls_attn_blocks.k.attn.weights` `[batch, heads, 1, 1 + tokens]`,
/// `pooled` `[batch, width]`.
public final class FullyAttentionalModel: Classifier {
  public let options: FullyAttentionalNetwork
  public let description: ClassifierDescription

  private let stem: any TokenStem
  private let position: FourierPosition
  private let blocks: [FullyAttentionalBlock]
  private let classToken: Parameter
  private let classBlocks: [ClassAttentionBlock]
  private let norm: LayerNorm
  private let head: Dense

  public init(_ options: FullyAttentionalNetwork, _ scope: Scope, pool: BufferPool) {
    self.options = options
    let (mean, deviation) = PixelNormalization.inForce(
      mean: options.mean, deviation: options.deviation, channels: options.channels)
    description = ClassifierDescription(
      channels: options.channels, side: options.imageSize, classes: options.classes, mean: mean,
      deviation: deviation, tokenSide: options.imageSize / options.gridSize)
    let width = options.width

    switch options.stem {
    case .convolutional:
      stem = ConvolutionalStem(
        scope["patch_embed"], side: options.imageSize, channels: options.channels, width: width)
    case .convnext:
      stem = HybridStem(
        scope["patch_embed"], side: options.imageSize, channels: options.channels,
        widths: options.stemWidths, depths: options.stemDepths, width: width)
    }
    position = FourierPosition(
      scope["pos_embed"], side: options.gridSize, width: width, pool: pool)
    blocks = (0..<options.depth).map {
      FullyAttentionalBlock(scope["blocks"][$0], index: $0, options: options)
    }
    classToken = scope.parameter("cls_token", [1, 1, width], .normal(0.02))
    classBlocks = (0..<options.classBlocks).map {
      ClassAttentionBlock(scope["cls_attn_blocks"][$0], index: $0, options: options)
    }
    norm = LayerNorm(scope["norm"], width: width, epsilon: options.epsilon)
    head = Dense(
      scope["head"], inputs: width, outputs: options.classes,
      weight: .normal(0.02 * options.headScale))
  }

  public func callAsFunction(_ images: Variable, _ cx: Context) -> Logits {
    let rows = cx.pixelRows(images, mean: description.mean, deviation: description.deviation)
    var x = position(addedTo: stem(rows, cx), cx)
    for block in blocks {
      let output = options.recomputeBlocks ? cx.recompute(x) { block($0, $1) } : block(x, cx)
      x = cx.tap(block.outputTap, output)
    }
    x = cx.prependToken(classToken, to: x)
    for (index, block) in classBlocks.enumerated() {
      x = block(x, readsClassOnly: index == classBlocks.count - 1, cx)
    }
    let token = norm(x, cx).reshaped([x.shape[0], options.width])
    return Logits(classes: head(cx.tap("pooled", token), cx), distilled: nil)
  }

  public var blockOutputs: [String] { blocks.map(\.outputTap) }
  public var attentions: [AttentionTap] { blocks.map(\.attentionTap) }
  public var usesBatchStatistics: Bool { true }
  public var fixedPositions: Tensor? { nil }

  /// The stem; the positions; of a block 4 n D² + 2 n² D for tokens, n (D² + 2 D M + 18 M) for
  /// channels; of a class block 2 n D² of keys and values and little else.
  public var multiplyAdds: Int {
    let (n, d, hidden) = (options.gridSize * options.gridSize, options.width, options.hidden)
    let perBlock = 5 * n * d * d + 2 * n * n * d + 2 * n * d * hidden + 18 * n * hidden
    let perClassBlock = 2 * (n + 1) * d * d + 2 * d * d + 2 * (n + 1) * d + 2 * d * hidden
    return stem.multiplyAdds + 64 * n * d + options.depth * perBlock
      + options.classBlocks * perClassBlock + d * options.classes
  }
}
