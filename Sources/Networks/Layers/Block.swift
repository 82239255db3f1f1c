import Autograd
import Tensors

/// A pre-norm transformer block: x' = x + attention(norm(x)), x'' = x' + feedForward(norm(x')).
final class Block {
  private let attentionNorm: LayerNorm
  private let attention: Attention
  private let feedForwardNorm: LayerNorm
  private let feedForward: FeedForward
  private let residual: Residual

  init(_ scope: Scope, index: Int, options: VisionTransformer, dropRate: Float) {
    residual = Residual(rate: dropRate, block: index)
    let width = options.width
    attentionNorm = LayerNorm(scope["norm1"], width: width, epsilon: options.epsilon)
    attention = Attention(
      scope["attn"], name: "blocks.\(index).attn", width: width, heads: options.heads,
      initialization: options.initialization)
    feedForwardNorm = LayerNorm(scope["norm2"], width: width, epsilon: options.epsilon)
    feedForward = FeedForward(
      scope["mlp"], width: width, hidden: options.hidden, activation: options.gelu,
      initialization: options.initialization)
  }

  /// Under which the attention weights are offered.
  var attentionTap: String { attention.tap }

  /// - Parameter reading: how many leading tokens of the result anybody reads; all if nil. The rest
  ///   then only serve as keys and values, and the result has that many tokens.
  func callAsFunction(_ x: Variable, reading: Int? = nil, _ cx: Context) -> Variable {
    let normal = attentionNorm(x, cx)
    let stem = reading.map { cx.tokens(x, 0..<$0) } ?? x
    let attended = residual(stem, branch: 0, cx) {
      attention(normal, queries: reading, addedTo: $0, cx)
    }
    return residual(attended, branch: 1, cx) {
      feedForward(feedForwardNorm(attended, cx), addedTo: $0, cx)
    }
  }
}
