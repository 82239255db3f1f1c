import Autograd

/// Multi-head self-attention (Vaswani et al., 2017) with one fused projection whose rows are
/// (q | k | v) × head × depth, timm's order.
final class Attention {
  private let qkv: any LinearMap
  private let projection: any LinearMap
  private let width: Int
  private let heads: Int
  /// Under which the weights are offered: `blocks.3.attn.weights`.
  let tap: String

  init(
    _ scope: Scope, name: String, width: Int, heads: Int,
    initialization: VisionTransformer.Initialization
  ) {
    self.width = width
    self.heads = heads
    tap = "\(name).weights"
    // Queries, keys and values are three maps of width to width, however they are stored.
    let square = initialization.map(inputs: width, outputs: width)
    qkv = Dense(scope["qkv"], inputs: width, outputs: 3 * width, weight: square)
    projection = Dense(scope["proj"], inputs: width, outputs: width, weight: square)
  }

  /// - Parameters:
  ///   - x: normalised tokens `[batch, tokens, width]`.
  ///   - queries: the number of leading tokens that attend; all if nil. Every token is attended to.
  ///   - residual: `[batch, queries, width]`, added to the result if given.
  func callAsFunction(
    _ x: Variable, queries: Int?, addedTo residual: Variable?, _ cx: Context
  ) -> Variable {
    // Who looks at the weights sees those of every token, also where only some are then mixed.
    let looksAtAll = cx.taps?.wants(tap) ?? false
    if !looksAtAll, queries ?? x.shape[1] == x.shape[1], let qkv = qkv as? Dense,
      let projection = projection as? Dense,
      let y = cx.attention(
        x, qkv.parameters, projection.parameters, heads: heads, addedTo: residual)
    {
      return y
    }
    let (q, k, v) = project(x, queries: looksAtAll ? nil : queries, cx)
    let depth = width / heads
    var weights = cx.attentionWeights(queries: q, keys: k, heads: heads, depth: depth)
    if looksAtAll {
      weights = cx.leadingQueries(of: cx.tap(tap, weights), queries ?? x.shape[1])
    }
    let mixed = cx.attentionMix(weights, values: v, depth: depth)
    return projection(mixed, rows: nil, addedTo: residual, cx)
  }

  private func project(
    _ x: Variable, queries: Int?, _ cx: Context
  ) -> (q: HeadColumns, k: HeadColumns, v: HeadColumns) {
    guard let queries, queries < x.shape[1] else {
      let all = qkv(x, cx)
      return (
        HeadColumns(all, from: 0), HeadColumns(all, from: width), HeadColumns(all, from: 2 * width)
      )
    }
    let q = qkv(cx.tokens(x, 0..<queries), rows: 0..<width, addedTo: nil, cx)
    let kv = qkv(x, rows: width..<3 * width, addedTo: nil, cx)
    return (HeadColumns(q, from: 0), HeadColumns(kv, from: 0), HeadColumns(kv, from: width))
  }
}
