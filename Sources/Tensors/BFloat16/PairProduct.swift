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

  func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into c: Matrix, adding: Bool
  ) {
    blocks(
      into: c, inner: transposeA ? a.rows : a.columns, transposedA: transposeA, adding: adding
    ) { inner, packed in
      pack(transposeB ? b.columns(inner) : b.rows(inner), transposed: transposeB, into: packed)
    } packA: { inner, rows, packed in
      if transposeA {
        PairPacking.across(a.rows(inner).columns(rows), panel: .narrow, into: packed)
      } else {
        PairPacking.neighbours(a.rows(rows).columns(inner), into: packed)
      }
    }
  }

  /// c ← a op(b), or c + a op(b).
  func multiply(
    _ a: PackedRows, _ b: Matrix, transposed: Bool, into c: Matrix, adding: Bool
  ) {
    let height = PairPacking.pairs(a.columns)
    let rows = Matrix(a.buffer.pointer, a.rows, height)
    blocks(into: c, inner: a.columns, transposedA: false, adding: adding) { inner, packed in
      pack(transposed ? b.columns(inner) : b.rows(inner), transposed: transposed, into: packed)
    } packA: { inner, part, packed in
      let pairs = inner.lowerBound / 2..<inner.lowerBound / 2 + PairPacking.pairs(inner.count)
      let source = rows.rows(part).columns(pairs)
      for row in 0..<source.rows {
        (packed + row * source.columns)
          .update(from: source.pointer + row * source.stride, count: source.columns)
      }
    }
  }

  /// dW ← dW + dyᵀ x
  func weightGradient(_ dy: PackedRows, _ x: PackedRows, addingTo dw: Matrix) {
    blocks(into: dw, inner: dy.rows, transposedA: true, adding: true) { inner, packed in
      PairPacking.across(x, rows: inner, columns: 0..<x.columns, panel: .wide, into: packed)
    } packA: { inner, rows, packed in
      PairPacking.across(dy, rows: inner, columns: rows, panel: .narrow, into: packed)
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

  /// Block by block of the inner index, and of the rows of C within.
  @inline(__always)
  private func blocks(
    into c: Matrix, inner: Int, transposedA: Bool, adding: Bool,
    packB: (_ inner: Range<Int>, _ to: UnsafeMutablePointer<Float>) -> Void,
    packA: (_ inner: Range<Int>, _ rows: Range<Int>, _ to: UnsafeMutablePointer<Float>) -> Void
  ) {
    let count = (inner + Self.innerBlock - 1) / Self.innerBlock
    // Of equal size, up to a pair.
    let step = 2 * ((inner + 2 * count - 1) / (2 * count))
    let panels = (c.columns + Tiles.panel - 1) / Tiles.panel
    let packedB = pool.take((panels * Tiles.panel + 16) * (step / 2 + 16))
    let packedA = pool.take((min(Self.rowBlock, c.rows) + 16) * (step / 2 + 16))
    for first in stride(from: 0, to: inner, by: step) {
      let range = first..<min(first + step, inner)
      let height = PairPacking.pairs(range.count)
      packB(range, packedB.pointer)
      for row in stride(from: 0, to: c.rows, by: Self.rowBlock) {
        let rows = row..<min(row + Self.rowBlock, c.rows)
        packA(range, rows, packedA.pointer)
        let part = c.rows(rows)
        let tiles = Tiles(
          a: packedA.pointer, aRow: transposedA ? 1 : height, aInner: transposedA ? 8 : 1,
          aTile: 8 * height, c: part.pointer, cRow: c.stride, rows: part.rows, inner: height,
          adding: adding || first > 0)
        for column in stride(from: 0, to: c.columns, by: Tiles.panel) {
          tiles.multiply(
            packedB.pointer + column * height, bRow: Tiles.panel, column,
            min(Tiles.panel, c.columns - column))
        }
      }
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
