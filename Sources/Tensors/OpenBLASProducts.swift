import COpenBLAS

/// Single-precision products by OpenBLAS, on one thread: more would change the bits of a sum, and
/// every core has a rank of its own. Products of one attention head are `SmallProduct`'s.
public struct OpenBLASProducts: MatrixProducts {
  public init() { openblas_set_num_threads(1) }

  /// The kernel OpenBLAS has chosen for this CPU, e.g. `SkylakeX`; other kernels give other bits.
  public var kernel: String { String(cString: openblas_get_corename()) }

  /// Version and build options of the library.
  public var build: String { String(cString: openblas_get_config()) }

  public func probe(side: Int, pool: BufferPool) -> () -> Void {
    let (a, b, c) = Self.squares(side, from: pool)
    return { forward(Matrix(a), weight: Matrix(b), addingTo: Matrix(c)) }
  }

  /// Two matrices to be multiplied and one for the result.
  static func squares(_ side: Int, from pool: BufferPool) -> (a: Tensor, b: Tensor, c: Tensor) {
    let key = RandomKey(seed: 1, .synthesis)
    let a = Tensor([side, side], (0..<side * side).map { key.uniformFloat($0) - 0.5 }, from: pool)
    return (a, a.copy(from: pool), Tensor.zeros([side, side], from: pool))
  }

  public func forward(_ x: Matrix, weight: Matrix, addingTo y: Matrix) {
    sgemm(x, transposed: false, weight, transposed: true, into: y, adding: true)
  }

  public func inputGradient(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool) {
    sgemm(dy, transposed: false, weight, transposed: false, into: dx, adding: adding)
  }

  public func weightGradient(_ dy: Matrix, _ x: Matrix, addingTo dw: Matrix) {
    sgemm(dy, transposed: true, x, transposed: false, into: dw, adding: true)
  }

  public func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    let inner = transposeA ? a.rows : a.columns
    if SmallProduct.suits(rows: c.rows, columns: c.columns, inner: inner) {
      SmallProduct.multiply(
        a, transposed: transposeA, b, transposed: transposeB, into: c, adding: adding)
    } else {
      sgemm(a, transposed: transposeA, b, transposed: transposeB, into: c, adding: adding)
    }
  }

  private func sgemm(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    let inner = transposeA ? a.rows : a.columns
    cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      blasint(c.rows), blasint(c.columns), blasint(inner), 1, a.pointer, blasint(a.stride),
      b.pointer, blasint(b.stride), adding ? 1 : 0, c.pointer, blasint(c.stride))
  }
}
