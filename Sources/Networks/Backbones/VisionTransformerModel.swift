import Autograd
import Configuration
import Tensors

/// The ViT / DeiT network with timm's parameter names.
///
/// Taps: `blocks.i.attn.weights` `[batch, heads, tokens, tokens]`, `blocks.i.output`
/// `[batch, tokens, width]`, `pooled` `[batch, width]`.
public final class VisionTransformerModel: Classifier {
  public let options: VisionTransformer
  public let description: ClassifierDescription

  private let prefix: [Parameter]
  private let position: Parameter?
  private let table: Tensor?
  private let patchWeight: Parameter
  private let patchBias: Parameter
  private let blocks: [Block]
  public let blockOutputs: [String]
  private let norm: LayerNorm
  private let head: any LinearMap
  private let distilledHead: (any LinearMap)?

  /// Declares the parameters in the order of timm's state dictionary.
  public init(_ options: VisionTransformer, _ scope: Scope, pool: BufferPool) {
    self.options = options
    let (mean, deviation) = options.normalization
    description = ClassifierDescription(
      channels: options.channels, side: options.imageSize, classes: options.classes, mean: mean,
      deviation: deviation, tokenSide: options.patchSize)
    let (width, start) = (options.width, options.initialization)

    var prefix: [Parameter] = []
    if options.classToken {
      prefix.append(scope.parameter("cls_token", [1, 1, width], start.classToken))
    }
    if options.distilled {
      prefix.append(scope.parameter("dist_token", [1, 1, width], .normal(0.02)))
    }
    self.prefix = prefix
    let learned = options.position == .learned
    position =
      learned ? scope.parameter("pos_embed", [1, options.tokens, width], .normal(0.02)) : nil
    table =
      learned ? nil : PositionTable.sinusoidal(tokens: options.tokens, width: width, from: pool)

    let patch = options.patchSize
    let (weight, bias) = start.patch(inputs: options.grid.width)
    patchWeight = scope["patch_embed"]["proj"].parameter(
      "weight", [width, options.channels, patch, patch], weight)
    patchBias = scope["patch_embed"]["proj"].parameter("bias", [width], bias)

    blockOutputs = (0..<options.depth).map { "blocks.\($0).output" }
    blocks = (0..<options.depth).map { index in
      let share = options.depth > 1 ? Double(index) / Double(options.depth - 1) : 0
      return Block(
        scope["blocks"][index], index: index, options: options,
        dropRate: Float(options.dropPath * share))
    }
    norm = LayerNorm(
      scope[options.pooling == .mean ? "fc_norm" : "norm"], width: width, epsilon: options.epsilon)
    head = Dense(scope["head"], inputs: width, outputs: options.classes, weight: start.head)
    distilledHead =
      options.distilled
      ? Dense(
        scope["head_dist"], inputs: width, outputs: options.classes, weight: start.head) : nil
  }

  public func callAsFunction(_ images: Variable, _ cx: Context) -> Logits {
    let patches = cx.patchEmbedding(
      images, grid: options.grid, mean: description.mean, deviation: description.deviation,
      weight: patchWeight, bias: patchBias)
    var x = cx.assembleTokens(patches, prefix: prefix, position: position, table: table)
    for (index, block) in blocks.enumerated() {
      let reading = index == blocks.count - 1 ? tokensRead(cx) : nil
      let output =
        options.recomputeBlocks
        ? cx.recompute(x) { block($0, reading: reading, $1) } : block(x, reading: reading, cx)
      x = cx.tap(blockOutputs[index], output)
    }
    return classify(x, cx)
  }

  /// The leading tokens of the last block that anybody reads; nil for all of them. Decided by what
  /// was asked for: a tap on the last block's output sees every token.
  private func tokensRead(_ cx: Context) -> Int? {
    let tapped = cx.taps?.wants(blockOutputs[blocks.count - 1]) ?? false
    return options.pooling == .token && !tapped ? prefix.count : nil
  }

  private func classify(_ x: Variable, _ cx: Context) -> Logits {
    let flat: Shape = [x.shape[0], options.width]
    switch options.pooling {
    case .mean:
      let pooled = norm(cx.meanOfTokens(x, from: options.prefixTokens), cx)
      return Logits(classes: head(cx.tap("pooled", pooled), cx), distilled: nil)
    case .token:
      let read = norm(cx.tokens(x, 0..<prefix.count), cx)
      let pooled = cx.tokens(read, 0..<1).reshaped(flat)
      let classes = head(cx.tap("pooled", pooled), cx)
      guard let distilledHead else { return Logits(classes: classes, distilled: nil) }
      let second = cx.tokens(read, 1..<2).reshaped(flat)
      return Logits(classes: classes, distilled: distilledHead(second, cx))
    }
  }

  public var attentions: [AttentionTap] {
    blocks.map { AttentionTap($0.attentionTap, heads: options.heads, keys: options.tokens) }
  }
  public var fixedPositions: Tensor? { table }

  /// N C P² D + L (4 n D² + 2 n² D + 2 n D M) + D classes per head.
  public var multiplyAdds: Int {
    let (n, d) = (options.tokens, options.width)
    let perBlock = 4 * n * d * d + 2 * n * n * d + 2 * n * d * options.hidden
    return options.grid.patches * options.grid.width * d + options.depth * perBlock
      + d * options.classes * (options.distilled ? 2 : 1)
  }

  public var unreadMultiplyAdds: Int {
    guard options.pooling == .token else { return 0 }
    let (n, d) = (options.tokens, options.width)
    return (n - prefix.count) * (2 * d * d + 2 * n * d + 2 * d * options.hidden)
  }
}

extension VisionTransformer: Backbone, CatalogKind {
  public static let kind = "vit"
  public static let about = "a Vision Transformer of any size"

  public var gridSize: Int { imageSize / patchSize }
  public var choice: Choice<BackboneCatalog> { Choice(self) }

  public func build(in scope: Scope, pool: BufferPool) -> any Classifier {
    VisionTransformerModel(self, scope, pool: pool)
  }
}
