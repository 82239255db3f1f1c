import CLanes

/// C = A B, or C + A B, for matrices so small that a library's preparations cost more than its speed
/// wins: the products of one attention head. The error of an element is at most
/// inner · 2⁻²⁴ Σ |a b|.
enum SmallProduct {
  private typealias Tiles = RegisterTiles<SinglePrecision>

  /// Whether this is faster than OpenBLAS: a panel of B must fit the first-level cache, and a few
  /// rows are better streamed. Its rate over OpenBLAS's, in cache, at 49 to 197 tokens of 16 to 64
  /// features: 1.1 to 1.4 with B transposed, 0.97 to 1.2 otherwise. Of a whole step of ViT-Ti it
  /// takes 1.5 %, of one at 64 tokens nothing that can be measured.
  static func suits(rows: Int, columns: Int, inner: Int) -> Bool {
    rows >= 32 && rows <= 256 && columns <= 256 && inner <= 256
  }

  /// c ← op(a) op(b), or c + op(a) op(b).
  static func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    let aRow = transposeA ? 1 : a.stride
    let tiles = Tiles(
      a: a.pointer, aRow: aRow, aInner: transposeA ? a.stride : 1, aTile: 8 * aRow,
      c: c.pointer, cRow: c.stride, rows: c.rows, inner: transposeA ? a.rows : a.columns,
      adding: adding)
    let panel = Tiles.panel
    guard transposeB else {
      for first in stride(from: 0, to: c.columns, by: panel) {
        tiles.multiply(b.pointer + first, bRow: b.stride, first, min(panel, c.columns - first))
      }
      return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: (tiles.inner + 15) * panel) {
      let turned = $0.baseAddress!
      for first in stride(from: 0, to: c.columns, by: panel) {
        let count = min(panel, c.columns - first)
        turn(b, rows: first..<first + count, into: turned)
        tiles.multiply(turned, bRow: panel, first, count)
      }
    }
  }

  /// The transpose of some rows of `b`, in rows of `Tiles.panel`.
  static func turn(
    _ b: Matrix, rows: Range<Int>, into turned: UnsafeMutablePointer<Float>
  ) {
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
      let height = Int32(truncatingIfNeeded: min(16, rows.upperBound - row))
      for column in stride(from: 0, to: b.columns, by: 16) {
        clanes_transpose(
          b.pointer + (row * b.stride + column), b.stride, height,
          Int32(truncatingIfNeeded: min(16, b.columns - column)),
          turned + (column * Tiles.panel + row - rows.lowerBound), Tiles.panel)
      }
    }
  }
}
