import CLanes

/// Products with operands rounded to bfloat16 and sums in single precision. All else stays in single
/// precision: weights and their gradients, activations between products, normalisation, softmax, loss.
///
/// A linear map's products with weights run in oneDNN, on whatever the processor has for bfloat16;
/// products of attention heads and gradients of weights run in `PairProduct`. A product of a few rows,
/// such as that of the head, stays in single precision: it takes no time.
public struct BFloat16Products: MatrixProducts {
  private let single: OpenBLASProducts
  private let pairs: PairProduct
  private let library: LibraryProducts
  private let pool: BufferPool

  public init() {
    pool = BufferPool()
    single = OpenBLASProducts()
    pairs = PairProduct(pool: pool)
    library = LibraryProducts(pool: pool)
  }

  public var kernel: String {
    let library = LibraryProducts.version
    return "\(single.kernel) bf16\(library.isEmpty ? "" : " oneDNN \(library)")"
  }

  public func probe(side: Int, pool: BufferPool) -> () -> Void {
    let (a, b, c) = OpenBLASProducts.squares(side, from: pool)
    let (x, weight) = (Tensor(a.shape, from: pool), Tensor(b.shape, from: pool))
    PairPacking.neighbours(Matrix(a), into: x.pointer)
    PairPacking.neighbours(Matrix(b), into: weight.pointer)
    let even = 2 * PairPacking.pairs(side)
    let shape = LibraryProducts.Shape(
      rows: side, columns: side, inner: side, aRow: even, bInner: 1, bColumn: even, cRow: side,
      adding: true, hasBias: false)
    return {
      if library.run(shape, x.pointer, weight.pointer, bias: nil, into: c.pointer) { return }
      pairs.multiply(
        Matrix(a), transposed: false, Matrix(b), transposed: true, into: Matrix(c), adding: true)
    }
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
    // A bias alone rides in the product, which then need not read what it writes.
    let rides = residual == nil
    if !rides { start(y, bias: bias, residual: residual) }
    let packed = pack(x)
    multiply(
      packed, weight, transposed: true, bias: rides ? bias : nil, into: y, adding: !rides)
    return keepsInput ? packed : nil
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
    let packed = pack(dy)
    if let dw = gradients.weight, let x {
      pairs.weightGradient(packed, self.packed(x), addingTo: dw)
    }
    if let (dx, adding) = gradients.input {
      multiply(packed, weight, transposed: false, bias: nil, into: dx, adding: adding)
    }
  }

  public func forward(_ x: Matrix, weight: Matrix, addingTo y: Matrix) {
    guard y.rows >= Precision.fewestRoundedRows else {
      return single.forward(x, weight: weight, addingTo: y)
    }
    multiply(pack(x), weight, transposed: true, bias: nil, into: y, adding: true)
  }

  public func inputGradient(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool) {
    guard dx.rows >= Precision.fewestRoundedRows else {
      return single.inputGradient(dy, weight: weight, into: dx, adding: adding)
    }
    multiply(pack(dy), weight, transposed: false, bias: nil, into: dx, adding: adding)
  }

  public func weightGradient(_ dy: Matrix, _ x: Matrix, addingTo dw: Matrix) {
    guard dy.rows >= Precision.fewestRoundedRows else {
      return single.weightGradient(dy, x, addingTo: dw)
    }
    pairs.multiply(dy, transposed: true, x, transposed: false, into: dw, adding: true)
  }

  public func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    guard c.rows >= Precision.fewestRoundedRows else {
      return single.multiply(
        a, transposed: transposeA, b, transposed: transposeB, into: c, adding: adding)
    }
    pairs.multiply(a, transposed: transposeA, b, transposed: transposeB, into: c, adding: adding)
  }

  private func pack(_ x: Matrix) -> PackedRows {
    let buffer = pool.take(x.rows * PairPacking.pairs(x.columns) + 16)
    PairPacking.neighbours(x, into: buffer.pointer)
    return PackedRows(buffer: buffer, rows: x.rows, columns: x.columns)
  }

  private func packed(_ input: LinearInput) -> PackedRows {
    switch input {
    case .matrix(let x): pack(x)
    case .packed(let x): x
    }
  }

  /// c ← x Wᵀ + bias or x W, or c + that.
  private func multiply(
    _ x: PackedRows, _ weight: Matrix, transposed: Bool, bias: UnsafePointer<Float>?,
    into c: Matrix, adding: Bool
  ) {
    let packedWeight = pack(weight)
    let stride = 2 * PairPacking.pairs(weight.columns)
    let shape = LibraryProducts.Shape(
      rows: x.rows, columns: c.columns, inner: x.columns, aRow: 2 * PairPacking.pairs(x.columns),
      bInner: transposed ? 1 : stride, bColumn: transposed ? stride : 1, cRow: c.stride,
      adding: adding, hasBias: bias != nil)
    if library.run(
      shape, x.buffer.pointer, packedWeight.buffer.pointer, bias: bias, into: c.pointer)
    {
      return
    }
    if bias != nil { start(c, bias: bias, residual: nil) }
    pairs.multiply(x, weight, transposed: transposed, into: c, adding: adding || bias != nil)
  }
}
