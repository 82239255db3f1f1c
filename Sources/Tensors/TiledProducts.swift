/// Single-precision products in register tiles, on processors with AVX-512. What is added to a product
/// is added on its way from the registers. Products of a few rows are OpenBLAS's, small ones of
/// attention heads `SmallProduct`'s.
///
/// Of a transformer's linear maps with 1,576 rows that are not in a cache near by, Zen 5 makes 250 to
/// 260 GFLOP/s (gradients of weights 230 to 250), by OpenBLAS 210 to 245.
public struct TiledProducts: MatrixProducts {
  private let library = OpenBLASProducts()
  private let tiles: TileProduct<SinglePrecision>
  private let kept = WeightPanels()

  public init(from pool: BufferPool) { tiles = TileProduct(pool: pool) }

  public var kernel: String { "\(library.kernel) tiles" }

  public func holdWeights() -> WeightHold? { WeightHold(kept) }

  public func probe(side: Int, pool: BufferPool) -> () -> Void {
    let (a, b, c) = OpenBLASProducts.squares(side, from: pool)
    return { forward(Matrix(a), weight: Matrix(b), addingTo: Matrix(c)) }
  }

  public func linear(
    _ x: Matrix, weight: Matrix, bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>?,
    into y: Matrix, keepsInput: Bool
  ) -> PackedRows? {
    guard suits(rows: y.rows) else {
      return library.linear(
        x, weight: weight, bias: bias, residual: residual, into: y, keepsInput: keepsInput)
    }
    tiles.multiply(
      x, byWeight: weight, transposed: true, kept,
      into: TileOutput(y, bias: bias, residual: residual))
    return nil
  }

  public func linearGradients(
    _ dy: Matrix, _ x: LinearInput?, weight: Matrix, into gradients: LinearGradients
  ) {
    guard suits(rows: dy.rows) else {
      return library.linearGradients(dy, x, weight: weight, into: gradients)
    }
    if case .matrix(let x) = x, let dw = gradients.weight {
      weightGradient(dy, x, addingTo: dw)
    }
    if let db = gradients.bias {
      Elementwise.addColumnSums(dy.pointer, rows: dy.rows, width: dy.columns, to: db)
    }
    if let (dx, adding) = gradients.input {
      tiles.multiply(
        dy, byWeight: weight, transposed: false, kept, into: TileOutput(dx, adding: adding))
    }
  }

  public func forward(_ x: Matrix, weight: Matrix, addingTo y: Matrix) {
    guard suits(rows: y.rows) else { return library.forward(x, weight: weight, addingTo: y) }
    tiles.multiply(
      x, byWeight: weight, transposed: true, nil, into: TileOutput(y, adding: true))
  }

  public func inputGradient(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool) {
    guard suits(rows: dx.rows) else {
      return library.inputGradient(dy, weight: weight, into: dx, adding: adding)
    }
    tiles.multiply(
      dy, byWeight: weight, transposed: false, nil, into: TileOutput(dx, adding: adding))
  }

  public func weightGradient(_ dy: Matrix, _ x: Matrix, addingTo dw: Matrix) {
    guard suits(rows: dy.rows) else { return library.weightGradient(dy, x, addingTo: dw) }
    tiles.multiply(
      dy, transposed: true, x, transposed: false, into: TileOutput(dw, adding: true))
  }

  public func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    let inner = transposeA ? a.rows : a.columns
    let isSmall = SmallProduct.suits(rows: c.rows, columns: c.columns, inner: inner)
    guard suits(rows: c.rows), !isSmall else {
      return library.multiply(
        a, transposed: transposeA, b, transposed: transposeB, into: c, adding: adding)
    }
    tiles.multiply(
      a, transposed: transposeA, b, transposed: transposeB, into: TileOutput(c, adding: adding))
  }

  /// Whether laying out the other operand pays.
  private func suits(rows: Int) -> Bool { rows >= 32 }
}
