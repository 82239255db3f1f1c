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
    _ x: Variable, again: @escaping () -> Tensor, weight: Parameter, bias: Parameter?,
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
    let packed = products.linear(
      Matrix(x.tensor), weight: w, bias: b,
      residual: residual.map { UnsafePointer($0.tensor.pointer) },
      into: Matrix(y), keepsInput: tape.map { $0.tracksParameters && $0.isRecording } ?? false)

    let (xEdge, residualEdge) = (x.edge, residual?.edge)
    // Whatever x was made from need not live on where its copy does.
    let input = packed == nil ? again : nil
    return record(
      "linear", y, from: [x] + (residual.map { [$0] } ?? []),
      parameters: [weight] + (bias.map { [$0] } ?? [])
    ) { [products] dy, tape in
      var gradients = LinearGradients()
      gradients.weight = tape.gradient(of: weight)
        .map { Matrix($0 + rows.lowerBound * inputs, rows.count, inputs) }
      gradients.bias = bias.flatMap { tape.gradient(of: $0) }.map { $0 + rows.lowerBound }
      if xEdge.isTracked {
        let (dx, adding) = tape.accumulator(for: xEdge)
        gradients.input = (Matrix(dx), adding)
      }
      let dense = Matrix(dy)
      if let packed {
        products.linearGradients(dense, .packed(packed), weight: w, into: gradients)
      } else if gradients.weight != nil, let input {
        // Data made anew has no other owner: without this, its memory goes back to the pool, and to
        // a loader thread, as soon as its address is known.
        withExtendedLifetime(input()) { x in
          products.linearGradients(dense, .matrix(Matrix(x)), weight: w, into: gradients)
        }
      } else {
        products.linearGradients(dense, nil, weight: w, into: gradients)
      }
      if let residualEdge { tape.give(dy, to: residualEdge) }
    }
  }
}
