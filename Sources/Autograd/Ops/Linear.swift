import Tensors

extension Context {
  /// y = x Wᵀ + b, or residual + x Wᵀ + b; without b where no bias is given.
  ///
  /// - Parameters:
  ///   - x: `[…, in]`
  ///   - weight: `[out, in]`, or any shape whose extents after the first multiply to `in`.
  ///   - bias: `[out]`
  ///   - rows: which rows of weight and bias to use (all by default): a part of a fused projection.
  ///   - residual: `[…, out]`; its sum costs nothing, as the output starts from it.
  /// - Returns: `[…, out]`
  public func linear(
    _ x: Variable, weight: Parameter, bias: Parameter?, rows: Range<Int>? = nil,
    addedTo residual: Variable? = nil
  ) -> Variable {
    linear(
      x, again: saved(x), weight: weight, bias: bias, rows: rows, addedTo: residual)
  }

  /// `again` gives the backward pass the data of `x`, kept or made anew.
  func linear(
    _ x: Variable, again input: @escaping () -> Tensor, weight: Parameter, bias: Parameter?,
    rows: Range<Int>? = nil, addedTo residual: Variable? = nil
  ) -> Variable {
    let inputs = weight.shape.count / weight.shape[0]
    let rows = rows ?? 0..<weight.shape[0]
    precondition(
      x.shape[-1] == inputs, "\(weight.name) takes rows of \(inputs), not \(x.shape)")
    let w = Matrix(
      parameters[weight].pointer + rows.lowerBound * inputs, rows.count, inputs)
    let b = bias.map { UnsafePointer(parameters[$0].pointer + rows.lowerBound) }

    let y = Tensor(Shape(x.shape.extents.dropLast() + [rows.count]), from: pool)
    start(y, from: b, addedTo: residual?.tensor)
    products.forward(Matrix(x.tensor), weight: w, addingTo: Matrix(y))

    let (xEdge, residualEdge) = (x.edge, residual?.edge)
    return record(
      "linear", y, from: [x] + (residual.map { [$0] } ?? []),
      parameters: [weight] + (bias.map { [$0] } ?? [])
    ) { [products] dy, tape in
      if let dw = tape.gradient(of: weight) {
        // Data made anew has no other owner: without this, its memory goes back to the pool, and to
        // a loader thread, as soon as its address is known.
        withExtendedLifetime(input()) { x in
          products.weightGradient(
            Matrix(dy), Matrix(x),
            addingTo: Matrix(dw + rows.lowerBound * inputs, rows.count, inputs))
        }
        if let db = bias.flatMap({ tape.gradient(of: $0) }) {
          Elementwise.addColumnSums(
            dy.pointer, rows: dy.shape.rows, width: rows.count, to: db + rows.lowerBound)
        }
      }
      if xEdge.isTracked {
        let (dx, adding) = tape.accumulator(for: xEdge)
        products.inputGradient(Matrix(dy), weight: w, into: Matrix(dx), adding: adding)
      }
      if let residualEdge { tape.give(dy, to: residualEdge) }
    }
  }

  /// What the product is added to: residual + bias, where there are such.
  private func start(_ y: Tensor, from bias: UnsafePointer<Float>?, addedTo residual: Tensor?) {
    let (rows, width) = (y.shape.rows, y.shape[-1])
    switch (residual, bias) {
    case (let residual?, let bias?):
      Elementwise.add(
        bias, toRowsOf: residual.pointer, rows: rows, width: width, into: y.pointer)
    case (let residual?, nil): y.pointer.update(from: residual.pointer, count: y.count)
    case (nil, let bias?):
      Elementwise.fill(rows: rows, width: width, with: bias, into: y.pointer)
    case (nil, nil): y.pointer.update(repeating: 0, count: y.count)
    }
  }
}
