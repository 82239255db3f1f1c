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
    let tiles = Tiles(
      a: transposeA
        ? TileFactors(columns: a.pointer, stride: a.stride)
        : TileFactors(rows: a.pointer, stride: a.stride),
      rows: c.rows, columns: c.columns, inner: transposeA ? a.rows : a.columns,
      output: TileOutput(c, adding: adding))
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
        b.rows(first..<first + count).turn(into: turned)
        tiles.multiply(turned, bRow: panel, first, count)
      }
    }
  }
}
