/// Linear maps of rows that are in bfloat16: in tiles of the project's own, and products with weights in
/// oneDNN where the processor has a matrix unit, which tiles do not know.
struct PackedLinear: Sendable {
  let pool: BufferPool
  let tiles: TileProduct<BFloat16Pairs>
  let kept = WeightPanels()
  private let library: LibraryProducts?

  init(pool: BufferPool, usesLibrary: Bool) {
    self.pool = pool
    tiles = TileProduct(pool: pool)
    library = usesLibrary ? LibraryProducts(pool: pool) : nil
  }

  /// x Wᵀ (transposed) or x W.
  ///
  /// - Parameter isPassing: whether the weight is a copy that will not be there for the next product.
  func multiply(
    _ x: PackedRows, _ weight: Matrix, transposed: Bool, isPassing: Bool = false,
    into output: TileOutput
  ) {
    withExtendedLifetime(x) {
      if let library, library.multiply(x.matrix, weight, transposed: transposed, into: output) {
        return
      }
      tiles.multiply(
        x.matrix, byWeight: RoundedMatrix(weight), transposed: transposed, isPassing ? nil : kept,
        into: output)
    }
  }

  /// The same, rounded.
  func rounded(
    _ x: PackedRows, _ weight: Matrix, transposed: Bool, bias: UnsafePointer<Float>? = nil
  ) -> PackedRows {
    let c = PackedRows(
      rows: x.rows, columns: transposed ? weight.rows : weight.columns, from: pool)
    withExtendedLifetime(c) {
      multiply(x, weight, transposed: transposed, into: TileOutput(c.matrix, bias: bias))
    }
    return c
  }

  /// dW ← dW + dyᵀ x
  func weightGradient(_ dy: PackedRows, _ x: PackedRows, addingTo dw: Matrix) {
    withExtendedLifetime((dy, x)) {
      tiles.multiply(
        dy.matrix, transposed: true, x.matrix, transposed: false,
        into: TileOutput(dw, adding: true))
    }
  }

  /// A square product of an operand that is packed already and one that is not, as weights are not.
  func probe(side: Int, from samples: (a: Tensor, b: Tensor, c: Tensor)) -> () -> Void {
    let a = PackedRows(Matrix(samples.a), from: pool)
    return {
      multiply(
        a, Matrix(samples.b), transposed: true,
        into: TileOutput(Matrix(samples.c), adding: true))
    }
  }
}
