import Autograd
import Configuration
import Tensors

/// The RVT network with the parameter names of its authors' code.
///
/// Taps: `transformers.s.blocks.i.attn.weights` `[batch, heads, tokens, tokens]`,
/// `transformers.s.blocks.i.output` `[batch, tokens, width]`, `pooled` `[batch, width]`.
public final class RobustVisionTransformerModel: Classifier {
  public let options: RobustVisionTransformer
  public let description: ClassifierDescription
  public let multiplyAdds: Int

  private let stem: RobustStem
  private let stages: [[RobustBlock]]
  private let halvings: [DepthwiseConvolution]
  private let norm: LayerNorm
  private let head: Dense

  public init(_ options: RobustVisionTransformer, _ scope: Scope) {
    self.options = options
    let (mean, deviation) = PixelNormalization.inForce(
      mean: options.mean, deviation: options.deviation, channels: options.channels)
    description = ClassifierDescription(
      channels: options.channels, side: options.imageSize, classes: options.classes, mean: mean,
      deviation: deviation, tokenSide: options.imageSize / options.gridSize)
    let layout = options.stages
    stem = RobustStem(
      scope["patch_embed"]["proj"], side: options.imageSize, channels: options.channels,
      width: layout[0].width)

    stages = Self.blocks(layout, options, scope["transformers"])
    halvings = zip(layout, layout.dropFirst()).enumerated().map { index, stages in
      DepthwiseConvolution(
        scope["pools"][index]["conv"], RobustVisionTransformer.halving(stages.0.side),
        inputs: stages.0.width, outputs: stages.1.width)
    }
    let width = layout[layout.count - 1].width
    norm = LayerNorm(scope["norm"], width: width, epsilon: options.epsilon)
    head = Dense(
      scope["head"], inputs: width, outputs: options.classes, weight: .fanIn(width),
      bias: .fanIn(width))
    multiplyAdds =
      stem.multiplyAdds + layout.reduce(0) { $0 + options.multiplyAdds($1) }
      + halvings.reduce(0) { $0 + $1.multiplyAdds } + width * options.classes
  }

  private static func blocks(
    _ stages: [RobustVisionTransformer.Stage], _ options: RobustVisionTransformer, _ scope: Scope
  ) -> [[RobustBlock]] {
    let total = options.depths.reduce(0, +)
    var index = 0
    return stages.enumerated().map { number, stage in
      (0..<stage.depth).map { block in
        defer { index += 1 }
        return RobustBlock(
          scope[number]["blocks"][block], path: "transformers.\(number).blocks.\(block)",
          index: index, stage: stage, hasMask: number == 0 && block < options.maskedBlocks,
          dropRate: Float(options.dropPath * Double(index) / Double(total)), options: options)
      }
    }
  }

  public func callAsFunction(_ images: Variable, _ cx: Context) -> Logits {
    var x = stem(
      cx.pixelRows(images, mean: description.mean, deviation: description.deviation), cx)
    for (number, blocks) in stages.enumerated() {
      for block in blocks {
        let output =
          options.recomputeBlocks ? cx.recompute(x) { block($0, $1) } : block(x, cx)
        x = cx.tap(block.outputTap, output)
      }
      if number < halvings.count { x = halvings[number](x, cx) }
    }
    let pooled = cx.tap("pooled", norm(cx.meanOfTokens(x, from: 0), cx))
    return Logits(classes: head(pooled, cx), distilled: nil)
  }

  public var blockOutputs: [String] { stages.joined().map(\.outputTap) }
  public var attentions: [AttentionTap] { stages.joined().map(\.attentionTap) }
  public var usesBatchStatistics: Bool { true }
  public var fixedPositions: Tensor? { nil }
}

/// RVT's front: a convolution, batch normalisation, a maximum over neighbours, patches of 4 x 4.
private final class RobustStem {
  private let convolution: Convolution
  private let norm: BatchNorm
  private let pool: SlidingWindow
  private let patches: Convolution

  private static let channels = 32

  init(_ scope: Scope, side: Int, channels: Int, width: Int) {
    convolution = Convolution(
      scope[0], SlidingWindow(side: side, kernel: 7, stride: 2, padding: 2), inputs: channels,
      outputs: Self.channels)
    norm = BatchNorm(scope[1], width: Self.channels)
    pool = SlidingWindow(side: convolution.window.output, kernel: 3, stride: 2, padding: 1)
    patches = Convolution(
      scope[3], SlidingWindow(side: pool.output, kernel: 4, stride: 4, padding: 0),
      inputs: Self.channels, outputs: width)
  }

  func callAsFunction(_ rows: Variable, _ cx: Context) -> Variable {
    patches(cx.maxPool(norm(convolution(rows, cx), cx), window: pool), cx)
  }

  var multiplyAdds: Int { convolution.multiplyAdds + patches.multiplyAdds }
}

extension RobustVisionTransformer {
  /// Of all blocks of a stage, for one image.
  fileprivate func multiplyAdds(_ stage: Stage) -> Int {
    let (n, d, hidden) = (stage.side * stage.side, stage.width, hidden(stage.width))
    let qkv = patchReasoning ? 9 * d * (d / 4) + 3 * d * (d / 4) : 3 * d * d
    let local = feedForward == .convolutional ? 9 * hidden : 0
    return stage.depth * n * (qkv + d * d + 2 * n * d + 2 * d * hidden + local)
  }
}
