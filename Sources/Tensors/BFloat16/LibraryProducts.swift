import COneDNN
import Synchronization

/// Products of bfloat16 operands by oneDNN, which knows the matrix units of processors. A product is
/// made for its shape at first use and kept.
final class LibraryProducts: Sendable {
  struct Shape: Hashable, Sendable {
    var rows: Int
    var columns: Int
    var inner: Int
    /// Strides of rows, and both of B's, one of which is 1; all count numbers.
    var aRow: Int
    var bInner: Int
    var bColumn: Int
    var cRow: Int
    var adding = false
    /// Whether a row of single precision is added to every row.
    var hasBias = false
    /// Whether C is bfloat16 as well.
    var rounds = false
  }

  /// In use by nobody: one for each thread that has ever run this shape at the same time.
  private let idle = Mutex<[Shape: [LibraryProduct]]>([:])
  private let pool: BufferPool

  init(pool: BufferPool) { self.pool = pool }

  /// `2.6`, or empty where this program was built without the library.
  static var version: String {
    let version = conednn_version()
    return version == 0 ? "" : "\(version / 1000).\(version % 1000)"
  }

  /// A Wᵀ (transposed) or A W. False if the library has no such product.
  func multiply(
    _ a: PairMatrix, _ weight: Matrix, transposed: Bool, into output: TileOutput
  ) -> Bool {
    let b = PackedRows(weight, from: pool)
    var shape = Shape(
      rows: a.rows, columns: transposed ? weight.rows : weight.columns, inner: a.columns,
      aRow: 2 * a.stride, bInner: transposed ? 1 : 2 * b.matrix.stride,
      bColumn: transposed ? 2 * b.matrix.stride : 1,
      cRow: (output.rounds ? 2 : 1) * output.stride)
    (shape.hasBias, shape.rounds) = (output.bias != nil, output.rounds)
    if let addend = output.addend {
      shape.adding = true
      for row in 0..<(addend == UnsafePointer(output.pointer) ? 0 : a.rows) {
        (output.pointer + row * output.stride)
          .update(from: addend + row * output.addendStride, count: shape.columns)
      }
    }
    return withExtendedLifetime(b) {
      run(shape, a.pointer, b.matrix.pointer, bias: output.bias, into: output.pointer)
    }
  }

  private func run(
    _ shape: Shape, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, into c: UnsafeMutablePointer<Float>
  ) -> Bool {
    guard let product = idle.withLock({ $0[shape]?.popLast() }) ?? LibraryProduct(shape) else {
      return false
    }
    let didRun = pool.withScratch(product.scratchCount) {
      product.run(a, b, bias: bias, into: c, scratch: $0)
    }
    idle.withLock { $0[shape, default: []].append(product) }
    return didRun
  }
}

/// One of the library's primitives with its memory objects; used by one thread at a time.
private final class LibraryProduct: @unchecked Sendable {
  private var product: conednn_product

  init?(_ shape: LibraryProducts.Shape) {
    var product = conednn_product()
    let isThere = conednn_create(
      &product,
      conednn_shape(
        rows: Int64(shape.rows), columns: Int64(shape.columns), inner: Int64(shape.inner),
        a_row: Int64(shape.aRow), b_inner: Int64(shape.bInner), b_column: Int64(shape.bColumn),
        c_row: Int64(shape.cRow), adding: shape.adding ? 1 : 0, has_bias: shape.hasBias ? 1 : 0,
        rounds: shape.rounds ? 1 : 0))
    guard isThere != 0 else { return nil }
    self.product = product
  }

  deinit { conednn_destroy(&product) }

  var scratchCount: Int { product.scratch_bytes / MemoryLayout<Float>.stride + 1 }

  func run(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    into c: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) -> Bool {
    conednn_run(&product, a, b, bias, c, scratch) != 0
  }
}
