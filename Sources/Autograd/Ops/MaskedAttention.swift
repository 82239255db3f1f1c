import Tensors

extension Context {
  /// softmax(Q Kᵀ / √d ∘ σ(Φ)) of every head: attention whose logits a learned mask scales by
  /// position (PAAS; Mao et al., 2022).
  ///
  /// - Parameter mask: Φ, `[heads, queries, keys]`, shared by all images.
  /// - Returns: `[batch, heads, queries, keys]`
  public func attentionWeights(
    queries: HeadColumns, keys: HeadColumns, heads: Int, depth: Int, mask: Parameter
  ) -> Variable {
    let (batch, m, n) = (queries.variable.shape[0], queries.tokens, keys.tokens)
    precondition(mask.shape == [heads, m, n], "\(mask.name) is not for [\(heads), \(m), \(n)]")
    let pairs = HeadPairs(queries, keys, heads: heads, depth: depth, products)
    let factor = 1 / Float(depth).squareRoot()
    let scale = scoreScale(mask, factor: factor)
    let weights = Tensor([batch, heads, m, n], from: pool)
    for pair in 0..<batch * heads {
      let scores = weights.pointer + pair * m * n
      pairs.multiply(pair, into: Matrix(scores, m, n))
      ScoreMask.multiply(scores, by: scale.pointer + pair % heads * m * n, count: m * n)
      Softmax.forward(scores, rows: m, width: n, factor: 1)
    }

    let (qEdge, kEdge) = (queries.variable.edge, keys.variable.edge)
    return record(
      "maskedAttentionWeights", weights, from: [queries.variable, keys.variable],
      parameters: [mask]
    ) { [pool] dw, tape in
      let dq = tape.accumulator(for: qEdge, columns: queries.columns(heads * depth))
      let dk = tape.accumulator(for: kEdge, columns: keys.columns(heads * depth))
      withExtendedLifetime((Tensor([m, n], from: pool), scale)) { scores, scale in
        for pair in 0..<batch * heads {
          let d = Matrix(dw.pointer + pair * m * n, m, n)
          let place = pair % heads * m * n
          Softmax.backward(
            weights.pointer + pair * m * n, gradient: d.pointer, rows: m, width: n, factor: 1)
          if let dMask = tape.gradient(of: mask) {
            pairs.addMaskGradient(
              pair, d, scale: scale.pointer + place, factor: factor, to: dMask + place,
              scores: Matrix(scores))
          }
          ScoreMask.multiply(d.pointer, by: scale.pointer + place, count: m * n)
          pairs.differentiate(pair, d, queries: dq, keys: dk)
        }
      }
    }
  }

  /// factor · σ(Φ): what the scores are multiplied by.
  private func scoreScale(_ mask: Parameter, factor: Float) -> Tensor {
    let scale = Tensor(mask.shape, from: pool)
    Sigmoid.forward(parameters[mask].pointer, into: scale.pointer, count: scale.count)
    Elementwise.scale(scale.pointer, by: factor, into: scale.pointer, count: scale.count)
    return scale
  }
}

/// The queries and keys of every head of every image, numbered image by image.
private struct HeadPairs {
  let queries: HeadColumns
  let keys: HeadColumns
  let q: Tensor
  let k: Tensor
  let heads: Int
  let depth: Int
  let products: any MatrixProducts

  init(
    _ queries: HeadColumns, _ keys: HeadColumns, heads: Int, depth: Int,
    _ products: any MatrixProducts
  ) {
    (self.queries, self.keys, self.heads, self.depth) = (queries, keys, heads, depth)
    (q, k) = (queries.variable.tensor, keys.variable.tensor)
    self.products = products
  }

  private func matrix(_ columns: HeadColumns, _ data: Tensor, _ pair: Int) -> Matrix {
    columns.matrix(data, image: pair / heads, head: pair % heads, depth: depth)
  }

  /// scores ← Q Kᵀ
  func multiply(_ pair: Int, into scores: Matrix) {
    products.multiply(
      matrix(queries, q, pair), transposed: false, matrix(keys, k, pair), transposed: true,
      into: scores, adding: false)
  }

  /// dΦ ← dΦ + dA ∘ Q Kᵀ ∘ factor σ (1 - σ); the scores are made again in `scores`.
  func addMaskGradient(
    _ pair: Int, _ dA: Matrix, scale: UnsafePointer<Float>, factor: Float,
    to dMask: UnsafeMutablePointer<Float>, scores: Matrix
  ) {
    multiply(pair, into: scores)
    ScoreMask.addGradient(
      dA.pointer, scores: scores.pointer, scale: scale, factor: factor,
      count: dA.rows * dA.columns, to: dMask)
  }

  /// dQ ← dS K and dK ← dSᵀ Q, written or added, where they are wanted.
  func differentiate(
    _ pair: Int, _ ds: Matrix, queries dq: (tensor: Tensor, adding: Bool)?,
    keys dk: (tensor: Tensor, adding: Bool)?
  ) {
    if let dq {
      products.multiply(
        ds, transposed: false, matrix(keys, k, pair), transposed: false,
        into: matrix(queries, dq.tensor, pair), adding: dq.adding)
    }
    if let dk {
      products.multiply(
        ds, transposed: true, matrix(queries, q, pair), transposed: false,
        into: matrix(keys, dk.tensor, pair), adding: dk.adding)
    }
  }
}
