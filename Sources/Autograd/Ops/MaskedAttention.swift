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
    precondition(
      mask.shape == [heads, m, n], "\(mask.name) does not scale \(heads) heads of \(m) by \(n)")
    let pairs = HeadPairs(
      queries: queries, keys: keys, q: queries.variable.tensor, k: keys.variable.tensor,
      heads: heads, depth: depth, products: products)
    let factor = 1 / Float(depth).squareRoot()
    let scale = Tensor(mask.shape, from: pool)
    Sigmoid.forward(parameters[mask].pointer, into: scale.pointer, count: scale.count)
    Elementwise.scale(scale.pointer, by: factor, into: scale.pointer, count: scale.count)

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
      let dMask = tape.gradient(of: mask)
      withExtendedLifetime((Tensor([m, n], from: pool), scale)) { scores, scale in
        for pair in 0..<batch * heads {
          let d = dw.pointer + pair * m * n
          let place = pair % heads * m * n
          Softmax.backward(
            weights.pointer + pair * m * n, gradient: d, rows: m, width: n, factor: 1)
          if let dMask {
            pairs.multiply(pair, into: Matrix(scores))
            ScoreMask.addGradient(
              d, scores: scores.pointer, scale: scale.pointer + place, factor: factor,
              count: m * n, to: dMask + place)
          }
          ScoreMask.multiply(d, by: scale.pointer + place, count: m * n)
          pairs.differentiate(pair, Matrix(d, m, n), queries: dq, keys: dk)
        }
      }
    }
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

  private func matrix(_ columns: HeadColumns, _ data: Tensor, _ pair: Int) -> Matrix {
    columns.matrix(data, image: pair / heads, head: pair % heads, depth: depth)
  }

  /// scores ← Q Kᵀ
  func multiply(_ pair: Int, into scores: Matrix) {
    products.multiply(
      matrix(queries, q, pair), transposed: false, matrix(keys, k, pair), transposed: true,
      into: scores, adding: false)
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
