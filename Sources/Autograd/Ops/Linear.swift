import Tensors

extension Context {
  /// y = x Wᵀ + b, or residual + x Wᵀ + b.
  ///
  /// - Parameters:
  ///   - x: `[…, in]`
  ///   - weight: `[out, in]`, or any shape whose extents after the first multiply to `in`.
  ///   - bias: `[out]`
  ///   - rows: which rows of weight and bias to use (all by default): a part of a fused projection.
  ///   - residual: `[…, out]`; its sum costs nothing, as the output starts from it.
  /// - Returns: `[…, out]`
  public func linear(
    _ x: Variable, weight: Parameter, bias: Parameter, rows: Range<Int>? = nil,
    addedTo residual: Variable? = nil
  ) -> Variable {
    linear(
      x, again: saved(x), weight: weight, bias: bias, rows: rows, addedTo: residual)
  }

  /// `again` gives the backward pass the data of `x`, kept or made anew.
  func linear(
    _ x: Variable, again input: @escaping () -> Tensor, weight: Parameter, bias: Parameter,
    rows: Range<Int>? = nil, addedTo residual: Variable? = nil
  ) -> Variable {
    let inputs = weight.shape.count / weight.shape[0]
    let rows = rows ?? 0..<weight.shape[0]
    precondition(
      x.shape[-1] == inputs, "\(weight.name) takes rows of \(inputs), not \(x.shape)")
    let w = Matrix(
      parameters[weight].pointer + rows.lowerBound * inputs, rows.count, inputs)
    let b = parameters[bias].pointer + rows.lowerBound

    let y = Tensor(Shape(x.shape.extents.dropLast() + [rows.count]), from: pool)
    if let residual {
      Elementwise.add(
        b, toRowsOf: residual.tensor.pointer, rows: y.shape.rows, width: rows.count,
        into: y.pointer)
    } else {
      Elementwise.fill(rows: y.shape.rows, width: rows.count, with: b, into: y.pointer)
    }
    products.forward(Matrix(x.tensor), weight: w, addingTo: Matrix(y))

    let (xEdge, residualEdge) = (x.edge, residual?.edge)
    return record(
      "linear", y, from: [x] + (residual.map { [$0] } ?? []), parameters: [weight, bias]
    ) { [products] dy, tape in
      if let dw = tape.gradient(of: weight), let db = tape.gradient(of: bias) {
        // Data made anew has no other owner: without this, its memory goes back to the pool, and to
        // a loader thread, as soon as its address is known.
        withExtendedLifetime(input()) { x in
          products.weightGradient(
            Matrix(dy), Matrix(x),
            addingTo: Matrix(dw + rows.lowerBound * inputs, rows.count, inputs))
        }
        Elementwise.addColumnSums(
          dy.pointer, rows: dy.shape.rows, width: rows.count, to: db + rows.lowerBound)
      }
      if xEdge.isTracked {
        let (dx, adding) = tape.accumulator(for: xEdge)
        products.inputGradient(Matrix(dy), weight: w, into: Matrix(dx), adding: adding)
      }
      if let residualEdge { tape.give(dy, to: residualEdge) }
    }
  }
}
