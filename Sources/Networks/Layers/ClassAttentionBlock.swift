import Autograd
import Tensors

/// A block in which only the class token attends (CaiT; Touvron et al., 2021), as FAN has it: the
/// other tokens are normalised, scaled and doubled.
final class ClassAttentionBlock {
  private let attentionNorm: LayerNorm
  private let attention: ClassAttention
  private let attentionScale: Parameter
  private let tokenNorm: LayerNorm
  private let feedForward: FeedForward
  private let feedForwardScale: Parameter

  init(_ scope: Scope, index: Int, options: FullyAttentionalNetwork) {
    let (width, hidden) = (options.width, options.hidden)
    attentionNorm = LayerNorm(scope["norm1"], width: width, epsilon: options.epsilon)
    attention = ClassAttention(
      scope["attn"], path: "cls_attn_blocks.\(index).attn", width: width, heads: options.heads)
    attentionScale = scope.parameter("gamma1", [width], .constant(1))
    tokenNorm = LayerNorm(scope["norm2"], width: width, epsilon: options.epsilon)
    feedForward = FeedForward(
      expand: Dense(
        scope["mlp"]["fc1"], inputs: width, outputs: hidden, weight: .normal(0.02)),
      contract: Dense(
        scope["mlp"]["fc2"], inputs: hidden, outputs: width, weight: .normal(0.02)),
      activation: .erf)
    feedForwardScale = scope.parameter("gamma2", [width], .constant(1))
  }

  /// - Parameters:
  ///   - x: the class token and the others, `[batch, 1 + tokens, width]`.
  ///   - readsClassOnly: the others' results are not computed, and not part of the result.
  func callAsFunction(_ x: Variable, readsClassOnly: Bool, _ cx: Context) -> Variable {
    let normal = attentionNorm(x, cx)
    let attended = attention(normal, cx)
    guard !readsClassOnly else {
      let token = tokenNorm(
        cx.scaleChannels(attended, by: attentionScale, addedTo: cx.tokens(x, 0..<1)), cx)
      return cx.scaleChannels(
        feedForward(token, addedTo: nil, cx), by: feedForwardScale, addedTo: token)
    }
    let others = 1..<x.shape[1]
    let y = tokenNorm(
      cx.scaleChannels(
        cx.joinTokens([attended, cx.tokens(normal, others)]), by: attentionScale, addedTo: x), cx)
    let token = cx.scaleChannels(
      feedForward(cx.tokens(y, 0..<1), addedTo: nil, cx), by: feedForwardScale)
    return cx.add(cx.joinTokens([token, cx.tokens(y, others)]), y)
  }
}

/// Attention of the first token to all.
final class ClassAttention {
  private let queries: Dense
  private let keys: Dense
  private let values: Dense
  private let projection: Dense
  private let width: Int
  private let heads: Int
  private let tap: String

  init(_ scope: Scope, path: String, width: Int, heads: Int) {
    (self.width, self.heads) = (width, heads)
    tap = "\(path).weights"
    func square(_ name: String) -> Dense {
      Dense(scope[name], inputs: width, outputs: width, weight: .normal(0.02))
    }
    (queries, keys, values, projection) = (square("q"), square("k"), square("v"), square("proj"))
  }

  /// - Parameter x: `[batch, tokens, width]`
  /// - Returns: `[batch, 1, width]`
  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let depth = width / heads
    let weights = cx.attentionWeights(
      queries: HeadColumns(queries(cx.tokens(x, 0..<1), cx), from: 0),
      keys: HeadColumns(keys(x, cx), from: 0), heads: heads, depth: depth)
    let mixed = cx.attentionMix(
      cx.tap(tap, weights), values: HeadColumns(values(x, cx), from: 0), depth: depth)
    return projection(mixed, cx)
  }
}
