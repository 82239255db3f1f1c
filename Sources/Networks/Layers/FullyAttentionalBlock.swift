import Autograd
import Tensors

/// A block of FAN: x' = x + γ₁ ∘ attention(norm(x)), x'' = x' + γ₂ ∘ channels(norm(x')).
final class FullyAttentionalBlock {
  private let tokenNorm: LayerNorm
  private let attention: TokenMixing
  private let tokenScale: Parameter
  private let channelNorm: LayerNorm
  private let channels: ChannelProcessing
  private let channelScale: Parameter
  private let residual: Residual
  let outputTap: String
  var attentionTap: AttentionTap { attention.tap }

  init(_ scope: Scope, index: Int, options: FullyAttentionalNetwork) {
    let width = options.width
    let path = "blocks.\(index)"
    outputTap = "\(path).output"
    residual = Residual(rate: Float(options.dropPath), block: index)
    tokenNorm = LayerNorm(scope["norm1"], width: width, epsilon: options.epsilon)
    attention = TokenMixing(
      scope["attn"], path: "\(path).attn", tokens: options.gridSize * options.gridSize,
      width: width, heads: options.heads)
    tokenScale = scope.parameter("gamma1", [width], .constant(1))
    channelNorm = LayerNorm(scope["norm2"], width: width, epsilon: options.epsilon)
    channels = ChannelProcessing(
      scope["mlp"], side: options.gridSize, width: width, hidden: options.hidden,
      heads: options.heads)
    channelScale = scope.parameter("gamma2", [width], .constant(1))
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let mixed = attention(tokenNorm(x, cx), cx)
    let attended = residual(x, branch: 0, cx) {
      cx.scaleChannels(mixed, by: tokenScale, addedTo: $0)
    }
    let processed = channels(channelNorm(attended, cx), cx)
    return residual(attended, branch: 1, cx) {
      cx.scaleChannels(processed, by: channelScale, addedTo: $0)
    }
  }
}

/// FAN's self-attention over tokens: one map for queries, one for keys and values.
final class TokenMixing {
  private let queries: Dense
  private let keysAndValues: Dense
  private let projection: Dense
  private let width: Int
  private let heads: Int
  /// Where the weights are offered.
  let tap: AttentionTap

  init(_ scope: Scope, path: String, tokens: Int, width: Int, heads: Int) {
    (self.width, self.heads) = (width, heads)
    tap = AttentionTap("\(path).weights", heads: heads, keys: tokens)
    queries = Dense(scope["q"], inputs: width, outputs: width, weight: .normal(0.02))
    keysAndValues = Dense(scope["kv"], inputs: width, outputs: 2 * width, weight: .normal(0.02))
    projection = Dense(scope["proj"], inputs: width, outputs: width, weight: .normal(0.02))
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let kv = keysAndValues(x, cx)
    let depth = width / heads
    let weights = cx.attentionWeights(
      queries: HeadColumns(queries(x, cx), from: 0), keys: HeadColumns(kv, from: 0), heads: heads,
      depth: depth)
    let mixed = cx.attentionMix(
      cx.tap(tap.name, weights), values: HeadColumns(kv, from: width), depth: depth)
    return projection(mixed, cx)
  }
}
