import CLanes

/// C = op(A) op(B), or C + op(A) op(B), with A and B rounded to bfloat16 and sums in single precision:
/// the products of attention heads, whose operands are strided, and the gradients of weights, whose
/// inner index runs down the rows of both operands. A library copies such operands before it
/// multiplies them; here the copy is the one that rounds.
///
/// The inner index runs upwards in steps of two within blocks of `innerBlock`, whatever the other
/// extents are.
struct PairProduct {
  private typealias Tiles = RegisterTiles<BFloat16Pairs>

  let pool: BufferPool

  /// A panel of B and one of A of this many numbers fill the first-level cache.
  private static let innerBlock = 512
  /// Rows of A whose packed block stays in the second-level cache.
  private static let rowBlock = 256

  func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    let inner = transposeA ? a.rows : a.columns
    let blocks = (inner + Self.innerBlock - 1) / Self.innerBlock
    // Of equal size, up to a pair.
    let step = 2 * ((inner + 2 * blocks - 1) / (2 * blocks))
    let panels = (c.columns + Tiles.panel - 1) / Tiles.panel
    let packedB = pool.take((panels * Tiles.panel + 16) * (step / 2 + 16))
    let packedA = pool.take((Self.rowBlock + 16) * (step / 2 + 16))
    for first in stride(from: 0, to: inner, by: step) {
      let range = first..<min(first + step, inner)
      let partB = transposeB ? b.columns(range) : b.rows(range)
      pack(partB, transposed: transposeB, into: packedB.pointer)
      for row in stride(from: 0, to: c.rows, by: Self.rowBlock) {
        let rows = row..<min(row + Self.rowBlock, c.rows)
        let partA = transposeA ? a.rows(range).columns(rows) : a.rows(rows).columns(range)
        multiply(
          partA, transposed: transposeA, packedA.pointer, packedB.pointer, inner: range.count,
          into: c.rows(rows), adding: adding || first > 0)
      }
    }
  }

  /// The panels of B: `[panel][pair][32]`.
  private func pack(
    _ b: Matrix, transposed: Bool, into packed: UnsafeMutablePointer<Float>
  ) {
    guard transposed else { return PairPacking.across(b, panel: .wide, into: packed) }
    let height = PairPacking.pairs(b.columns)
    let rows = pool.take(b.rows * height + 16)
    PairPacking.neighbours(b, into: rows.pointer)
    let pairs = Matrix(rows.pointer, b.rows, height)
    for first in stride(from: 0, to: b.rows, by: Tiles.panel) {
      SmallProduct.turn(
        pairs, rows: first..<min(first + Tiles.panel, b.rows), into: packed + first * height)
    }
  }

  private func multiply(
    _ a: Matrix, transposed: Bool, _ packedA: UnsafeMutablePointer<Float>,
    _ packedB: UnsafePointer<Float>, inner: Int, into c: Matrix, adding: Bool
  ) {
    let height = PairPacking.pairs(inner)
    if transposed {
      PairPacking.across(a, panel: .narrow, into: packedA)
    } else {
      PairPacking.neighbours(a, into: packedA)
    }
    let tiles = Tiles(
      a: packedA, aRow: transposed ? 1 : height, aInner: transposed ? 8 : 1, aTile: 8 * height,
      c: c.pointer, cRow: c.stride, rows: c.rows, inner: height, adding: adding)
    for first in stride(from: 0, to: c.columns, by: Tiles.panel) {
      tiles.multiply(
        packedB + first * height, bRow: Tiles.panel, first, min(Tiles.panel, c.columns - first))
    }
  }
}

extension Matrix {
  /// Some rows, in place.
  func rows(_ range: Range<Int>) -> Matrix {
    Matrix(pointer + range.lowerBound * stride, range.count, columns, stride: stride)
  }

  /// Some columns, in place.
  func columns(_ range: Range<Int>) -> Matrix {
    Matrix(pointer + range.lowerBound, rows, range.count, stride: stride)
  }
}
