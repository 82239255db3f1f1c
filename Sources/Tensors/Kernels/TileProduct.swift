/// C = A B + …, a `TileOutput`, by register tiles: the columns of B are laid out in panels, then blocks
/// of rows of A pass by all of them. A panel is read from the second cache as fast as it is multiplied,
/// so that a block of the inner index need only fit there, beside the rows of A.
///
/// Sums run upwards over the inner index within its blocks, whatever the other extents are.
struct TileProduct<Arithmetic: TileArithmetic> {
  private typealias Tiles = RegisterTiles<Arithmetic>

  let pool: BufferPool

  /// Rows of A, and steps of the inner index: 393 KB of A and 98 KB of a panel.
  static var rowBlock: Int { 128 }
  static var innerBlock: Int { 768 * Arithmetic.span }
  /// Steps of the inner index where it runs over the rows of a batch, and A is laid out as well.
  static var batchBlock: Int { 384 * Arithmetic.span }

  func multiply<A: TileOperand, B: TileOperand>(
    _ a: A, transposed transposeA: Bool, _ b: B, transposed transposeB: Bool,
    into output: TileOutput
  ) where A.Arithmetic == Arithmetic, B.Arithmetic == Arithmetic {
    blocks(
      rows: transposeA ? a.columns : a.rows, columns: transposeB ? b.rows : b.columns,
      inner: transposeA ? a.rows : a.columns, by: transposeA ? Self.batchBlock : Self.innerBlock,
      into: output
    ) { inner, scratch in
      layOut(b, inner, transposed: transposeB, at: scratch)
      return UnsafePointer(scratch)
    } factors: { inner, rows, scratch in
      guard transposeA else { return a.rows(rows).columns(inner).factors(scratch: scratch) }
      a.rows(inner).columns(rows).layOutColumns(in: .narrow, at: scratch)
      return TileFactors(panels: scratch, height: Arithmetic.units(inner.count))
    }
  }

  /// A Wᵀ (transposed) or A W, of a weight that may have been laid out and `kept`.
  func multiply<A: TileOperand, W: TileOperand>(
    _ a: A, byWeight weight: W, transposed: Bool, _ kept: WeightPanels?, into output: TileOutput
  ) where A.Arithmetic == Arithmetic, W.Arithmetic == Arithmetic {
    blocks(
      rows: a.rows, columns: transposed ? weight.rows : weight.columns, inner: a.columns,
      into: output
    ) { inner, scratch in
      panels(of: weight, inner, transposed: transposed, kept, scratch)
    } factors: { inner, rows, scratch in
      a.rows(rows).columns(inner).factors(scratch: scratch)
    }
  }

  /// A Bᵀ, some rows at a time that `isDone` finds in the first-level cache.
  func multiplyByRows<A: TileOperand, B: TileOperand>(
    _ a: A, turned b: B, into c: Matrix, isDone: (_ rows: Range<Int>) -> Void
  ) where A.Arithmetic == Arithmetic, B.Arithmetic == Arithmetic {
    blocks(
      rows: a.rows, columns: b.rows, inner: a.columns, by: .max, into: TileOutput(c), rowBlock: 32
    ) { _, scratch in
      b.layOutRows(at: scratch)
      return UnsafePointer(scratch)
    } factors: { _, rows, scratch in
      a.rows(rows).factors(scratch: scratch)
    } isDone: {
      isDone($0)
    }
  }

  /// A block of the inner index of B, or of its transpose, in wide panels.
  private func layOut<B: TileOperand>(
    _ b: B, _ inner: Range<Int>, transposed: Bool, at panels: UnsafeMutablePointer<Float>
  ) {
    if transposed {
      b.columns(inner).layOutRows(at: panels)
    } else {
      b.rows(inner).layOutColumns(in: .wide, at: panels)
    }
  }

  /// The same of a weight: kept panels, or made anew in `scratch`.
  private func panels<W: TileOperand>(
    of weight: W, _ inner: Range<Int>, transposed: Bool, _ kept: WeightPanels?,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let columns = transposed ? weight.rows : weight.columns
    let part = transposed ? weight.columns(inner) : weight.rows(inner)
    let key = WeightPanels.Key(
      address: UInt(bitPattern: part.pointer), rows: part.rows, columns: part.columns,
      transposed: transposed)
    let width = (columns + Tiles.panel - 1) / Tiles.panel * Tiles.panel + 16
    if let panels = kept?.panels(
      key, count: width * (Arithmetic.units(inner.count) + 16), from: pool,
      make: { layOut(weight, inner, transposed: transposed, at: $0) })
    {
      return panels
    }
    layOut(weight, inner, transposed: transposed, at: scratch)
    return UnsafePointer(scratch)
  }

  /// Block by block of the inner index, and of the rows of C within; a rounded sum has no parts.
  ///
  /// - Parameter isDone: is told of rows of C while they are in the first-level cache, if they are few
  ///   at a time.
  @inline(__always)
  private func blocks(
    rows: Int, columns: Int, inner: Int, by limit: Int = Self.innerBlock, into output: TileOutput,
    rowBlock: Int = Self.rowBlock,
    panels: (_ inner: Range<Int>, _ scratch: UnsafeMutablePointer<Float>)
      -> UnsafePointer<Float>,
    factors: (_ inner: Range<Int>, _ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>)
      -> TileFactors,
    isDone: (_ rows: Range<Int>) -> Void = { _ in }
  ) {
    let limit = output.rounds ? .max : limit
    let count = max(1, inner / limit + (inner % limit == 0 ? 0 : 1))
    // Of equal size, up to a unit.
    let step = Arithmetic.units((inner + count - 1) / count) * Arithmetic.span
    let height = Arithmetic.units(step) + 16
    let width = (columns + Tiles.panel - 1) / Tiles.panel * Tiles.panel + 16
    pool.withScratch((width + min(rowBlock, rows) + 16) * height) { packedB in
      for first in stride(from: 0, to: inner, by: step) {
        let range = first..<min(first + step, inner)
        let panels = panels(range, packedB)
        let output = first == 0 ? output : output.continued
        for row in stride(from: 0, to: rows, by: rowBlock) {
          let block = row..<min(row + rowBlock, rows)
          let tiles = Tiles(
            a: factors(range, block, packedB + width * height), rows: block.count,
            columns: columns, inner: Arithmetic.units(range.count), output: output.from(row))
          tiles.multiply(panels: panels)
          if range.upperBound == inner { isDone(block) }
        }
      }
    }
  }
}
