/// Products with operands rounded to bfloat16 and sums in single precision. Weights and their
/// gradients, the residual stream, normalisation, softmax and loss stay in single precision.
///
/// Products with weights are `PackedLinear`'s, those of attention heads tiles'; where a transformer
/// block has its usual form, `BlockSections` keep its interior in bfloat16. A product of a few rows,
/// such as that of the head, stays in single precision: it takes no time.
public struct BFloat16Products: MatrixProducts {
  private let single: OpenBLASProducts
  private let packed: PackedLinear
  private let library: String

  /// - Parameter usesLibrary: whether oneDNN multiplies by weights, if it is there; by default where
  ///   the processor has a matrix unit. Else tiles do, as for all other products: on Zen 5 a training
  ///   step of DeiT-Ti or S takes 6 % less time so than by oneDNN 2.6.
  public init(from pool: BufferPool, usesLibrary: Bool = Precision.hasMatrixUnit) {
    single = OpenBLASProducts()
    packed = PackedLinear(pool: pool, usesLibrary: usesLibrary)
    library = usesLibrary ? LibraryProducts.version : ""
  }

  public var kernel: String {
    "\(single.kernel) bf16 \(library.isEmpty ? "tiles" : "oneDNN \(library)")"
  }

  public var sections: BlockSections? { BlockSections(linear: packed) }

  public func holdWeights() -> WeightHold? { WeightHold(packed.kept) }

  public func probe(side: Int, pool: BufferPool) -> () -> Void {
    packed.probe(side: side, from: OpenBLASProducts.squares(side, from: pool))
  }

  public func linear(
    _ x: Matrix, weight: Matrix, bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>?,
    into y: Matrix, keepsInput: Bool
  ) -> PackedRows? {
    guard y.rows >= Precision.fewestRoundedRows else {
      start(y, bias: bias, residual: residual)
      single.forward(x, weight: weight, addingTo: y)
      return nil
    }
    let rows = pack(x)
    packed.multiply(
      rows, weight, transposed: true,
      into: TileOutput(y, bias: bias, residual: residual))
    return keepsInput ? rows : nil
  }

  public func linearGradients(
    _ dy: Matrix, _ x: LinearInput?, weight: Matrix, into gradients: LinearGradients
  ) {
    if let db = gradients.bias {
      Elementwise.addColumnSums(dy.pointer, rows: dy.rows, width: dy.columns, to: db)
    }
    guard dy.rows >= Precision.fewestRoundedRows else {
      if case .matrix(let x) = x, let dw = gradients.weight {
        single.weightGradient(dy, x, addingTo: dw)
      }
      if let (dx, adding) = gradients.input {
        single.inputGradient(dy, weight: weight, into: dx, adding: adding)
      }
      return
    }
    let rows = pack(dy)
    if let dw = gradients.weight, let x {
      packed.weightGradient(rows, pack(x), addingTo: dw)
    }
    if let (dx, adding) = gradients.input {
      packed.multiply(
        rows, weight, transposed: false, into: TileOutput(dx, adding: adding))
    }
  }

  public func forward(_ x: Matrix, weight: Matrix, addingTo y: Matrix) {
    guard y.rows >= Precision.fewestRoundedRows else {
      return single.forward(x, weight: weight, addingTo: y)
    }
    packed.multiply(
      pack(x), weight, transposed: true, isPassing: true, into: TileOutput(y, adding: true))
  }

  public func inputGradient(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool) {
    guard dx.rows >= Precision.fewestRoundedRows else {
      return single.inputGradient(dy, weight: weight, into: dx, adding: adding)
    }
    packed.multiply(
      pack(dy), weight, transposed: false, isPassing: true,
      into: TileOutput(dx, adding: adding))
  }

  public func weightGradient(_ dy: Matrix, _ x: Matrix, addingTo dw: Matrix) {
    guard dy.rows >= Precision.fewestRoundedRows else {
      return single.weightGradient(dy, x, addingTo: dw)
    }
    packed.weightGradient(pack(dy), pack(x), addingTo: dw)
  }

  public func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    guard c.rows >= Precision.fewestRoundedRows else {
      return single.multiply(
        a, transposed: transposeA, b, transposed: transposeB, into: c, adding: adding)
    }
    packed.tiles.multiply(
      RoundedMatrix(a), transposed: transposeA, RoundedMatrix(b), transposed: transposeB,
      into: TileOutput(c, adding: adding))
  }

  private func pack(_ x: Matrix) -> PackedRows { PackedRows(x, from: packed.pool) }

  private func pack(_ input: LinearInput) -> PackedRows {
    switch input {
    case .matrix(let x): pack(x)
    case .packed(let x): x
    }
  }
}
