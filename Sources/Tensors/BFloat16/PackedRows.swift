/// A matrix in bfloat16 as products leave and take it: rows of pairs of neighbours.
public struct PackedRows: Sendable {
  let buffer: Buffer
  let rows: Int
  let columns: Int

  /// Contents undefined. The rows are followed by some space, which a kernel may read.
  init(rows: Int, columns: Int, from pool: BufferPool) {
    buffer = pool.take(rows * PairPacking.pairs(columns) + 32)
    (self.rows, self.columns) = (rows, columns)
  }

  /// `x` rounded.
  init(_ x: Matrix, from pool: BufferPool) {
    self.init(rows: x.rows, columns: x.columns, from: pool)
    PairPacking.neighbours(x, into: matrix)
  }

  /// Valid while this, or a copy, is alive.
  var matrix: PairMatrix {
    PairMatrix(
      pointer: buffer.pointer, rows: rows, columns: columns, stride: PairPacking.pairs(columns))
  }
}

/// Rows of pairs of neighbours in somebody's memory: `columns` numbers a row, rows `stride` pairs apart.
struct PairMatrix {
  let pointer: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int
  let stride: Int

  /// The pairs, each in the place of a float.
  var units: Matrix { Matrix(pointer, rows, PairPacking.pairs(columns), stride: stride) }

  /// Some rows, in place.
  func rows(_ range: Range<Int>) -> PairMatrix {
    PairMatrix(
      pointer: pointer + range.lowerBound * stride, rows: range.count, columns: columns,
      stride: stride)
  }

  /// Some columns from an even one on, in place.
  func columns(_ range: Range<Int>) -> PairMatrix {
    PairMatrix(
      pointer: pointer + range.lowerBound / 2, rows: rows, columns: range.count, stride: stride)
  }
}
