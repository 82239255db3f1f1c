import Autograd
import Tensors

/// A block of RVT: x' = x + attention(norm(x)), x'' = x' + feedForward(norm(x')).
final class RobustBlock {
  private let attentionNorm: LayerNorm
  private let attention: PositionAwareAttention
  private let feedForwardNorm: LayerNorm
  private let feedForward: (_ x: Variable, _ addedTo: Variable?, Context) -> Variable
  private let residual: Residual
  let outputTap: String
  var attentionTap: AttentionTap { attention.tap }

  /// - Parameters:
  ///   - path: of the block, in the names of its taps.
  ///   - index: counted over all stages.
  init(
    _ scope: Scope, path: String, index: Int, stage: RobustVisionTransformer.Stage,
    hasMask: Bool, dropRate: Float, options: RobustVisionTransformer
  ) {
    let (width, hidden) = (stage.width, options.hidden(stage.width))
    outputTap = "\(path).output"
    residual = Residual(rate: dropRate, block: index)
    attentionNorm = LayerNorm(scope["norm1"], width: width, epsilon: options.epsilon)
    attention = PositionAwareAttention(
      scope["attn"], path: "\(path).attn", side: stage.side, width: width, heads: stage.heads,
      hasMask: hasMask, reasonsOverPatches: options.patchReasoning)
    feedForwardNorm = LayerNorm(scope["norm2"], width: width, epsilon: options.epsilon)
    let scope = scope["mlp"]
    switch options.feedForward {
    case .convolutional:
      let layer = LocalFeedForward(scope, side: stage.side, width: width, hidden: hidden)
      feedForward = { x, residual, cx in
        let y = layer(x, cx)
        return residual.map { cx.add($0, y) } ?? y
      }
    case .plain:
      let layer = FeedForward(
        expand: Dense(
          scope["fc1"], inputs: width, outputs: hidden, weight: .fanIn(width),
          bias: .fanIn(width)),
        contract: Dense(
          scope["fc2"], inputs: hidden, outputs: width, weight: .fanIn(hidden),
          bias: .fanIn(hidden)), activation: .erf)
      feedForward = { layer($0, addedTo: $1, $2) }
    }
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let normal = attentionNorm(x, cx)
    let attended = residual(x, branch: 0, cx) { attention(normal, addedTo: $0, cx) }
    return residual(attended, branch: 1, cx) {
      feedForward(feedForwardNorm(attended, cx), $0, cx)
    }
  }
}
