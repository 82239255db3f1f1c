import CLanes

/// Products of operands rounded to bfloat16 where the processor has no instructions for them: the
/// rounded numbers are multiplied in single precision.
public struct RoundedProducts: MatrixProducts {
  private let single = OpenBLASProducts()
  private let pool = BufferPool()

  public init() {}

  public var kernel: String { "\(single.kernel) rounded to bf16" }

  public func probe(side: Int, pool: BufferPool) -> () -> Void {
    single.probe(side: side, pool: pool)
  }

  public func forward(_ x: Matrix, weight: Matrix, addingTo y: Matrix) {
    rounded(x, weight, rows: y.rows) { single.forward($0, weight: $1, addingTo: y) }
  }

  public func inputGradient(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool) {
    rounded(dy, weight, rows: dx.rows) {
      single.inputGradient($0, weight: $1, into: dx, adding: adding)
    }
  }

  public func weightGradient(_ dy: Matrix, _ x: Matrix, addingTo dw: Matrix) {
    rounded(dy, x, rows: dy.rows) { single.weightGradient($0, $1, addingTo: dw) }
  }

  public func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    rounded(a, b, rows: c.rows) {
      single.multiply(
        $0, transposed: transposeA, $1, transposed: transposeB, into: c, adding: adding)
    }
  }

  private func rounded(
    _ a: Matrix, _ b: Matrix, rows: Int, _ multiply: (Matrix, Matrix) -> Void
  ) {
    guard rows >= Precision.fewestRoundedRows else { return multiply(a, b) }
    pool.withScratch(a.rows * a.columns) { x in
      pool.withScratch(b.rows * b.columns) { y in multiply(round(a, into: x), round(b, into: y)) }
    }
  }

  private func round(_ x: Matrix, into copy: UnsafeMutablePointer<Float>) -> Matrix {
    for row in 0..<x.rows {
      let (from, to) = (x.pointer + row * x.stride, copy + row * x.columns)
      forEachLanes(x.columns) { column, count in
        to.store(clanes_round(from.part(column, count)), column, first: count)
      }
    }
    return Matrix(copy, x.rows, x.columns)
  }
}
