/// Linear maps of rows that are in bfloat16: products with weights in oneDNN, on whatever the
/// processor has for bfloat16, and in tiles of the project's own where the library is not there.
struct PackedLinear: Sendable {
  let pool: BufferPool
  let pairs: PairProduct
  private let library: LibraryProducts

  init(pool: BufferPool, usesLibrary: Bool) {
    self.pool = pool
    pairs = PairProduct(pool: pool)
    library = LibraryProducts(pool: pool, isUsed: usesLibrary)
  }

  /// c ← x Wᵀ (transposed) or x W, plus a bias, or c + that.
  func multiply(
    _ x: PackedRows, _ weight: Matrix, transposed: Bool, bias: UnsafePointer<Float>? = nil,
    into c: Matrix, adding: Bool
  ) {
    let packed = PackedRows(weight, from: pool)
    withExtendedLifetime((x, packed)) {
      let (a, b) = (x.matrix, packed.matrix)
      var shape = shape(a, b, transposed: transposed, columns: c.columns, row: c.stride)
      (shape.adding, shape.hasBias) = (adding, bias != nil)
      if library.run(shape, a.pointer, b.pointer, bias: bias, into: c.pointer) { return }
      if let bias {
        for row in 0..<c.rows {
          let to = c.pointer + row * c.stride
          if adding {
            Elementwise.add(bias, to: to, count: c.columns)
          } else {
            to.update(from: bias, count: c.columns)
          }
        }
      }
      pairs.multiply(
        a, transposed: false, b, transposed: transposed, into: c, adding: adding || bias != nil)
    }
  }

  /// The same, rounded.
  func rounded(
    _ x: PackedRows, _ weight: Matrix, transposed: Bool, bias: UnsafePointer<Float>? = nil
  ) -> PackedRows {
    let columns = transposed ? weight.rows : weight.columns
    let c = PackedRows(rows: x.rows, columns: columns, from: pool)
    let packed = PackedRows(weight, from: pool)
    withExtendedLifetime((x, packed, c)) {
      let (a, b) = (x.matrix, packed.matrix)
      var shape = shape(a, b, transposed: transposed, columns: columns, row: 2 * c.matrix.stride)
      (shape.hasBias, shape.rounds) = (bias != nil, true)
      if library.run(shape, a.pointer, b.pointer, bias: bias, into: c.matrix.pointer) { return }
      pool.withScratch(x.rows * columns) {
        let exact = Matrix($0, x.rows, columns)
        multiply(x, weight, transposed: transposed, bias: bias, into: exact, adding: false)
        PairPacking.neighbours(exact, into: c.matrix)
      }
    }
    return c
  }

  /// dW ← dW + dyᵀ x
  func weightGradient(_ dy: PackedRows, _ x: PackedRows, addingTo dw: Matrix) {
    withExtendedLifetime((dy, x)) {
      pairs.multiply(
        dy.matrix, transposed: true, x.matrix, transposed: false, into: dw, adding: true)
    }
  }

  /// A square product on operands that are packed already.
  func probe(side: Int, from samples: (a: Tensor, b: Tensor, c: Tensor)) -> () -> Void {
    let a = PackedRows(Matrix(samples.a), from: pool)
    let b = PackedRows(Matrix(samples.b), from: pool)
    return {
      withExtendedLifetime((a, b)) {
        var shape = shape(a.matrix, b.matrix, transposed: true, columns: side, row: side)
        shape.adding = true
        let c = samples.c
        if library.run(shape, a.matrix.pointer, b.matrix.pointer, into: c.pointer) { return }
        pairs.multiply(
          a.matrix, transposed: false, b.matrix, transposed: true, into: Matrix(c), adding: true)
      }
    }
  }

  private func shape(
    _ a: PairMatrix, _ b: PairMatrix, transposed: Bool, columns: Int, row: Int
  ) -> LibraryProducts.Shape {
    LibraryProducts.Shape(
      rows: a.rows, columns: columns, inner: a.columns, aRow: 2 * a.stride,
      bInner: transposed ? 1 : 2 * b.stride, bColumn: transposed ? 2 * b.stride : 1, cRow: row)
  }
}
