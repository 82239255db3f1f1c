/// A row-major matrix in somebody's memory: `rows` rows of `columns`, `stride` elements apart.
public struct Matrix {
  public let pointer: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int
  public let stride: Int

  public init(
    _ pointer: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, stride: Int? = nil
  ) {
    self.pointer = pointer
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// A tensor as a matrix of its last axis.
  public init(_ tensor: Tensor) { self.init(tensor.pointer, tensor.shape.rows, tensor.shape[-1]) }
}

/// The seam behind which every matrix product of a model runs.
///
/// The three products of a linear map are named by their role, so that an implementation may keep
/// weights and activations in another precision: it sees which operand is a weight.
public protocol MatrixProducts: Sendable {
  /// Which code multiplies, e.g. `SkylakeX`: another gives other bits.
  var kernel: String { get }
  /// Sections of a transformer block as wholes, their interior in the format of the products; nil
  /// where a block is composed of single operations.
  var sections: BlockSections? { get }
  /// The caller vouches that weights stay as they are while it keeps what this returns; what products
  /// make of weights they then make once. Nil where they make nothing.
  func holdWeights() -> WeightHold?
  /// A product of square matrices of this side, on operands already in the format that is multiplied:
  /// what it takes is what the machine allows.
  func probe(side: Int, pool: BufferPool) -> () -> Void

  /// y ← x Wᵀ + bias, or residual + x Wᵀ + bias, with W stored `[out, in]`; all matrices are dense.
  ///
  /// - Parameter keepsInput: whether the backward pass will form the weight's gradient.
  /// - Returns: the input as it was multiplied, for `linearGradients`; nil if x itself is wanted.
  func linear(
    _ x: Matrix, weight: Matrix, bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>?,
    into y: Matrix, keepsInput: Bool
  ) -> PackedRows?
  /// The backward pass of `linear`; `x` may be nil where no gradient of a weight is asked for.
  func linearGradients(
    _ dy: Matrix, _ x: LinearInput?, weight: Matrix, into gradients: LinearGradients)

  /// y ← y + x Wᵀ with W stored `[out, in]`; here and below W may be a copy of a weight for this product.
  func forward(_ x: Matrix, weight: Matrix, addingTo y: Matrix)
  /// dx ← dy W, or dx + dy W.
  func inputGradient(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool)
  /// dW ← dW + dyᵀ x
  func weightGradient(_ dy: Matrix, _ x: Matrix, addingTo dw: Matrix)
  /// c ← op(a) op(b), or c + op(a) op(b): products of activations, as in attention.
  func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool)
}
