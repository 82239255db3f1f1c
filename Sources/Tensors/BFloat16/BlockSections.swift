/// A dense map's weight `[out, in]` and bias `[out]`.
public struct DenseWeights {
  public let weight: Matrix
  public let bias: UnsafePointer<Float>

  public init(_ weight: Matrix, bias: UnsafePointer<Float>) {
    (self.weight, self.bias) = (weight, bias)
  }
}

/// Where the gradients of a dense map are added.
public struct DenseGradients {
  public let weight: Matrix
  public let bias: UnsafeMutablePointer<Float>

  public init(_ weight: Matrix, bias: UnsafeMutablePointer<Float>) {
    (self.weight, self.bias) = (weight, bias)
  }
}

/// The two halves of a transformer block as wholes. Between their input and their output, both in
/// single precision, everything is kept in bfloat16, half the bytes: the operands of products as they
/// are multiplied, and what lies between them rounded once more, as automatic mixed precision does.
/// Softmax and GELU compute in single precision.
public struct BlockSections: Sendable {
  let linear: PackedLinear

  /// Whether rows are whole vectors, and enough of them.
  public static func suits(rows: Int, widths: [Int]) -> Bool {
    rows >= Precision.fewestRoundedRows && widths.allSatisfy { $0 % 32 == 0 }
  }
}

// MARK: - y = residual + W₂ gelu(W₁ x + b₁) + b₂

extension BlockSections {
  /// What the backward pass needs; x and g only for gradients of weights.
  public struct FeedForwardRecord: Sendable {
    let x: PackedRows?
    let h: PackedRows
    let g: PackedRows?
  }

  public func feedForward(
    _ x: Matrix, _ expand: DenseWeights, _ form: Gelu, _ contract: DenseWeights,
    residual: UnsafePointer<Float>?, into y: Matrix, keepsInputs: Bool
  ) -> FeedForwardRecord {
    let packed = PackedRows(x, from: linear.pool)
    let h = linear.rounded(packed, expand.weight, transposed: true, bias: expand.bias)
    let g = PackedRows(rows: h.rows, columns: h.columns, from: linear.pool)
    PairKernels.gelu(form, h, into: g)
    finish(g, contract, residual: residual, into: y)
    return FeedForwardRecord(x: keepsInputs ? packed : nil, h: h, g: keepsInputs ? g : nil)
  }

  public func feedForwardGradients(
    _ dy: Matrix, _ record: FeedForwardRecord, _ expand: DenseWeights, _ form: Gelu,
    _ contract: DenseWeights, into gradients: (expand: DenseGradients, contract: DenseGradients)?,
    input: (into: Matrix, adding: Bool)?
  ) {
    let packed = PackedRows(dy, from: linear.pool)
    if let target = gradients?.contract, let g = record.g {
      add(packed, of: dy, g, to: target)
    }
    let dh = linear.rounded(packed, contract.weight, transposed: false)
    PairKernels.multiplyGeluSlopes(form, record.h, into: dh)
    finish(dh, record.x, expand.weight, into: gradients?.expand, input: input)
  }
}

// MARK: - What both halves begin and end with

extension BlockSections {
  /// y ← residual + x Wᵀ + b
  func finish(
    _ x: PackedRows, _ map: DenseWeights, residual: UnsafePointer<Float>?, into y: Matrix
  ) {
    linear.multiply(
      x, map.weight, transposed: true,
      into: TileOutput(y, bias: map.bias, residual: residual))
  }

  /// Gradients of the second map from the gradient of its output.
  func add(_ packed: PackedRows, of dy: Matrix, _ x: PackedRows, to target: DenseGradients) {
    linear.weightGradient(packed, x, addingTo: target.weight)
    Elementwise.addColumnSums(dy.pointer, rows: dy.rows, width: dy.columns, to: target.bias)
  }

  /// Gradients of the first map and of its input.
  func finish(
    _ dy: PackedRows, _ x: PackedRows?, _ weight: Matrix, into target: DenseGradients?,
    input: (into: Matrix, adding: Bool)?
  ) {
    if let target, let x {
      linear.weightGradient(dy, x, addingTo: target.weight)
      withExtendedLifetime(dy) { PairKernels.addColumnSums(dy.matrix, to: target.bias) }
    }
    if let (dx, adding) = input {
      linear.multiply(dy, weight, transposed: false, into: TileOutput(dx, adding: adding))
    }
  }
}
