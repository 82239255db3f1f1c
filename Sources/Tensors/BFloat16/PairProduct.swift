import CLanes

/// C = op(A) op(B), or C + op(A) op(B), with A and B in bfloat16 and sums in single precision: the
/// products of attention heads, whose operands are strided, and the gradients of weights, whose inner
/// index runs down the rows of both operands. A library copies such operands before it multiplies
/// them; here the copy is the one that rounds.
///
/// The inner index runs upwards in steps of two within blocks of at most `innerBlock`, whatever the
/// other extents are.
struct PairProduct {
  private typealias Tiles = RegisterTiles<BFloat16Pairs>

  let pool: BufferPool

  /// A panel of B and one of A of this many numbers fill the first-level cache.
  private static let innerBlock = 512
  /// Rows of A whose packed block stays in the second-level cache.
  private static let rowBlock = 256

  /// Of operands in single precision.
  func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    blocks(into: c, inner: transposeA ? a.rows : a.columns, adding: adding) { inner, scratch in
      if transposeB {
        let packed = PackedRows(b.columns(inner), from: pool)
        withExtendedLifetime(packed) { turn(packed.matrix, into: scratch) }
      } else {
        PairPacking.across(b.rows(inner), panel: .wide, into: scratch)
      }
    } factors: { inner, rows, scratch in
      let height = PairPacking.pairs(inner.count)
      if transposeA {
        PairPacking.across(a.rows(inner).columns(rows), panel: .narrow, into: scratch)
        return Factors(narrowPanels: scratch, height: height)
      }
      let packed = PairMatrix(
        pointer: scratch, rows: rows.count, columns: inner.count, stride: height)
      PairPacking.neighbours(a.rows(rows).columns(inner), into: packed)
      return Factors(packed)
    }
  }

  /// Of operands that are packed; rows of A are multiplied where they lie.
  func multiply(
    _ a: PairMatrix, transposed transposeA: Bool, _ b: PairMatrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    blocks(into: c, inner: transposeA ? a.rows : a.columns, adding: adding) { inner, scratch in
      if transposeB {
        turn(b.columns(inner), into: scratch)
      } else {
        PairPacking.across(b.rows(inner), panel: .wide, into: scratch)
      }
    } factors: { inner, rows, scratch in
      guard transposeA else { return Factors(a.rows(rows).columns(inner)) }
      PairPacking.across(a.rows(inner).columns(rows), panel: .narrow, into: scratch)
      return Factors(narrowPanels: scratch, height: PairPacking.pairs(inner.count))
    }
  }

  /// The panels of Bᵀ: `[panel][pair][32]`.
  private func turn(_ b: PairMatrix, into panels: UnsafeMutablePointer<Float>) {
    let height = PairPacking.pairs(b.columns)
    let pairs = Matrix(b.pointer, b.rows, height, stride: b.stride)
    for first in stride(from: 0, to: b.rows, by: Tiles.panel) {
      SmallProduct.turn(
        pairs, rows: first..<min(first + Tiles.panel, b.rows), into: panels + first * height)
    }
  }

  /// Block by block of the inner index, and of the rows of C within.
  @inline(__always)
  private func blocks(
    into c: Matrix, inner: Int, adding: Bool,
    panels: (_ inner: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) -> Void,
    factors: (_ inner: Range<Int>, _ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>)
      -> Factors
  ) {
    let count = (inner + Self.innerBlock - 1) / Self.innerBlock
    // Of equal size, up to a pair.
    let step = 2 * ((inner + 2 * count - 1) / (2 * count))
    let width = (c.columns + Tiles.panel - 1) / Tiles.panel * Tiles.panel
    let bCount = (width + 16) * (step / 2 + 16)
    let aCount = (min(Self.rowBlock, c.rows) + 16) * (step / 2 + 16)
    pool.withScratch(bCount + aCount) { packedB in
      for first in stride(from: 0, to: inner, by: step) {
        let range = first..<min(first + step, inner)
        panels(range, packedB)
        for row in stride(from: 0, to: c.rows, by: Self.rowBlock) {
          let rows = row..<min(row + Self.rowBlock, c.rows)
          sweep(
            factors(range, rows, packedB + bCount), packedB, PairPacking.pairs(range.count),
            into: c.rows(rows), adding: adding || first > 0)
        }
      }
    }
  }

  private func sweep(
    _ a: Factors, _ panels: UnsafePointer<Float>, _ height: Int, into c: Matrix, adding: Bool
  ) {
    let tiles = Tiles(
      a: a.pointer, aRow: a.row, aInner: a.inner, aTile: a.tile, c: c.pointer, cRow: c.stride,
      rows: c.rows, inner: height, adding: adding)
    for column in stride(from: 0, to: c.columns, by: Tiles.panel) {
      tiles.multiply(
        panels + column * height, bRow: Tiles.panel, column, min(Tiles.panel, c.columns - column))
    }
  }

  /// Where the tiles find the factors of A.
  private struct Factors {
    let pointer: UnsafePointer<Float>
    let row: Int
    let inner: Int
    let tile: Int

    /// Rows of pairs of neighbours.
    init(_ rows: PairMatrix) {
      pointer = UnsafePointer(rows.pointer)
      (row, inner, tile) = (rows.stride, 1, 8 * rows.stride)
    }

    /// Pairs across rows, in panels of eight columns.
    init(narrowPanels: UnsafeMutablePointer<Float>, height: Int) {
      pointer = UnsafePointer(narrowPanels)
      (row, inner, tile) = (1, 8, 8 * height)
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
