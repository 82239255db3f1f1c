/// What the backward pass of a linear map y = x Wᵀ + b is to write; nil for what nobody needs.
public struct LinearGradients {
  /// dx ← dy W, or dx + dy W.
  public var input: (into: Matrix, adding: Bool)?
  /// dW ← dW + dyᵀ x
  public var weight: Matrix?
  /// db ← db + Σ dy over rows
  public var bias: UnsafeMutablePointer<Float>?

  public init() {}
}

/// The input of a linear map as its backward pass has it.
public enum LinearInput {
  case matrix(Matrix)
  /// What the forward pass gave back.
  case packed(PackedRows)
}

extension MatrixProducts {
  public var sections: BlockSections? { nil }

  public func holdWeights() -> WeightHold? { nil }

  public func linear(
    _ x: Matrix, weight: Matrix, bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>?,
    into y: Matrix, keepsInput: Bool
  ) -> PackedRows? {
    start(y, bias: bias, residual: residual)
    forward(x, weight: weight, addingTo: y)
    return nil
  }

  public func linearGradients(
    _ dy: Matrix, _ x: LinearInput?, weight: Matrix, into gradients: LinearGradients
  ) {
    if case .matrix(let x) = x, let dw = gradients.weight {
      weightGradient(dy, x, addingTo: dw)
    }
    if let db = gradients.bias {
      Elementwise.addColumnSums(dy.pointer, rows: dy.rows, width: dy.columns, to: db)
    }
    if let (dx, adding) = gradients.input {
      inputGradient(dy, weight: weight, into: dx, adding: adding)
    }
  }

  /// What a product is added to: residual + bias, where there are such. All rows are dense.
  func start(
    _ y: Matrix, bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>?
  ) {
    let count = y.rows * y.columns
    switch (residual, bias) {
    case (let residual?, let bias?):
      Elementwise.add(
        bias, toRowsOf: residual, rows: y.rows, width: y.columns, into: y.pointer)
    case (let residual?, nil): y.pointer.update(from: residual, count: count)
    case (nil, let bias?):
      Elementwise.fill(rows: y.rows, width: y.columns, with: bias, into: y.pointer)
    case (nil, nil): y.pointer.update(repeating: 0, count: count)
    }
  }
}
