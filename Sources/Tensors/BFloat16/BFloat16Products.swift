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
      adding: true)
    return {
      if library.run(shape, x.pointer, weight.pointer, into: c.pointer) { return }
      pairs.multiply(
        Matrix(a), transposed: false, Matrix(b), transposed: true, into: Matrix(c), adding: true)
    }
  }

  public func forward(_ x: Matrix, weight: Matrix, addingTo y: Matrix) {
    guard y.rows >= Precision.fewestRoundedRows else {
      return single.forward(x, weight: weight, addingTo: y)
    }
    linear(x, weight, transposed: true, into: y, adding: true)
  }

  public func inputGradient(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool) {
    guard dx.rows >= Precision.fewestRoundedRows else {
      return single.inputGradient(dy, weight: weight, into: dx, adding: adding)
    }
    linear(dy, weight, transposed: false, into: dx, adding: adding)
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

  /// c ← x Wᵀ or x W, or c + that.
  private func linear(
    _ x: Matrix, _ weight: Matrix, transposed: Bool, into c: Matrix, adding: Bool
  ) {
    let xPairs = PairPacking.pairs(x.columns)
    let weightPairs = PairPacking.pairs(weight.columns)
    let (a, b) = (pool.take(x.rows * xPairs + 16), pool.take(weight.rows * weightPairs + 16))
    PairPacking.neighbours(x, into: a.pointer)
    PairPacking.neighbours(weight, into: b.pointer)
    let shape = LibraryProducts.Shape(
      rows: x.rows, columns: c.columns, inner: x.columns, aRow: 2 * xPairs,
      bInner: transposed ? 1 : 2 * weightPairs, bColumn: transposed ? 2 * weightPairs : 1,
      cRow: c.stride, adding: adding)
    if library.run(shape, a.pointer, b.pointer, into: c.pointer) { return }
    pairs.multiply(x, transposed: false, weight, transposed: transposed, into: c, adding: adding)
  }
}
