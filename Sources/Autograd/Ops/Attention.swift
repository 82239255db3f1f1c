import Tensors

/// Some columns of a token tensor `[batch, tokens, features]`: where queries, keys or values of all
/// heads lie side by side in a fused projection, so that nothing is copied.
public struct HeadColumns {
  let variable: Variable
  let first: Int

  public init(_ variable: Variable, from first: Int) {
    self.variable = variable
    self.first = first
  }

  var tokens: Int { variable.shape[1] }

  /// The columns of all heads.
  func columns(_ width: Int) -> Range<Int> { first..<first + width }

  /// Rows are tokens, columns the `depth` features of one head of one image.
  func matrix(_ data: Tensor, image: Int, head: Int, depth: Int) -> Matrix {
    let stride = variable.shape[2]
    let start = data.pointer + image * tokens * stride + first + head * depth
    return Matrix(start, tokens, depth, stride: stride)
  }
}

extension Context {
  /// softmax(Q Kᵀ / √d) of every head: `[batch, heads, queries, keys]`.
  ///
  /// A tensor of its own, not a hidden part of attention, so that taps and penalties on the weights
  /// (K-sparse attention) are ordinary.
  public func attentionWeights(
    queries: HeadColumns, keys: HeadColumns, heads: Int, depth: Int
  ) -> Variable {
    let (batch, m, n) = (queries.variable.shape[0], queries.tokens, keys.tokens)
    let (q, k) = (queries.variable.tensor, keys.variable.tensor)
    let factor = 1 / Float(depth).squareRoot()
    let weights = Tensor([batch, heads, m, n], from: pool)
    forEachHead(batch, heads) { image, head in
      let scores = Matrix(weights.pointer + (image * heads + head) * m * n, m, n)
      products.multiply(
        queries.matrix(q, image: image, head: head, depth: depth), transposed: false,
        keys.matrix(k, image: image, head: head, depth: depth), transposed: true,
        into: scores, adding: false)
      Softmax.forward(scores.pointer, rows: m, width: n, factor: factor)
    }

    let (qEdge, kEdge) = (queries.variable.edge, keys.variable.edge)
    return record(
      "attentionWeights", weights, from: [queries.variable, keys.variable]
    ) { [products] dw, tape in
      let dq = tape.accumulator(for: qEdge, columns: queries.columns(heads * depth))
      let dk = tape.accumulator(for: kEdge, columns: keys.columns(heads * depth))
      forEachHead(batch, heads) { image, head in
        let start = (image * heads + head) * m * n
        let ds = Matrix(dw.pointer + start, m, n)
        Softmax.backward(
          weights.pointer + start, gradient: ds.pointer, rows: m, width: n, factor: factor)
        if let (dq, adding) = dq {
          products.multiply(
            ds, transposed: false, keys.matrix(k, image: image, head: head, depth: depth),
            transposed: false, into: queries.matrix(dq, image: image, head: head, depth: depth),
            adding: adding)
        }
        if let (dk, adding) = dk {
          products.multiply(
            ds, transposed: true, queries.matrix(q, image: image, head: head, depth: depth),
            transposed: false, into: keys.matrix(dk, image: image, head: head, depth: depth),
            adding: adding)
        }
      }
    }
  }

  /// The rows of the first queries of every head: `[batch, heads, count, keys]`.
  public func leadingQueries(of weights: Variable, _ count: Int) -> Variable {
    let (batch, heads) = (weights.shape[0], weights.shape[1])
    let (m, n) = (weights.shape[2], weights.shape[3])
    guard count < m else { return weights }
    let rows = Tensor([batch, heads, count, n], from: pool)
    for head in 0..<batch * heads {
      (rows.pointer + head * count * n)
        .update(from: weights.tensor.pointer + head * m * n, count: count * n)
    }
    let edge = weights.edge
    return record("leadingQueries", rows, from: [weights]) { d, tape in
      let whole = tape.partialAccumulator(for: edge)
      for head in 0..<batch * heads {
        Elementwise.add(
          d.pointer + head * count * n, to: whole.pointer + head * m * n, count: count * n)
      }
    }
  }

  /// weights × V with the heads side by side: `[batch, queries, heads · depth]`.
  public func attentionMix(
    _ weights: Variable, values: HeadColumns, depth: Int
  ) -> Variable {
    let (batch, heads) = (weights.shape[0], weights.shape[1])
    let (m, n) = (weights.shape[2], weights.shape[3])
    let (p, v) = (weights.tensor, values.variable.tensor)
    let mixed = Tensor([batch, m, heads * depth], from: pool)
    forEachHead(batch, heads) { image, head in
      products.multiply(
        Matrix(p.pointer + (image * heads + head) * m * n, m, n), transposed: false,
        values.matrix(v, image: image, head: head, depth: depth), transposed: false,
        into: columns(of: mixed, image, head, depth), adding: false)
    }

    let (weightsEdge, valuesEdge) = (weights.edge, values.variable.edge)
    return record("attentionMix", mixed, from: [weights, values.variable]) {
      [products] dMixed, tape in
      let (dp, adding) =
        weightsEdge.isTracked ? tape.accumulator(for: weightsEdge) : (p, false)
      let dv = tape.accumulator(for: valuesEdge, columns: values.columns(heads * depth))
      forEachHead(batch, heads) { image, head in
        let start = (image * heads + head) * m * n
        let d = columns(of: dMixed, image, head, depth)
        if weightsEdge.isTracked {
          products.multiply(
            d, transposed: false, values.matrix(v, image: image, head: head, depth: depth),
            transposed: true, into: Matrix(dp.pointer + start, m, n), adding: adding)
        }
        if let (dv, adding) = dv {
          products.multiply(
            Matrix(p.pointer + start, m, n), transposed: true, d, transposed: false,
            into: values.matrix(dv, image: image, head: head, depth: depth), adding: adding)
        }
      }
    }
  }
}

private func forEachHead(_ batch: Int, _ heads: Int, _ body: (_ image: Int, _ head: Int) -> Void) {
  for image in 0..<batch { for head in 0..<heads { body(image, head) } }
}

/// One head's columns of `[batch, tokens, heads · depth]`.
private func columns(of tensor: Tensor, _ image: Int, _ head: Int, _ depth: Int) -> Matrix {
  let (tokens, width) = (tensor.shape[1], tensor.shape[2])
  let start = tensor.pointer + image * tokens * width + head * depth
  return Matrix(start, tokens, depth, stride: width)
}
