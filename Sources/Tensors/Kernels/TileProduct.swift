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

  /// Of operands in single precision.
  func multiply(
    _ a: Matrix, transposed transposeA: Bool, _ b: Matrix, transposed transposeB: Bool,
    into output: TileOutput
  ) {
    blocks(
      rows: transposeA ? a.columns : a.rows, columns: transposeB ? b.rows : b.columns,
      inner: transposeA ? a.rows : a.columns, by: transposeA ? Self.batchBlock : Self.innerBlock,
      into: output
    ) { inner, scratch in
      if transposeB {
        Arithmetic.rows(of: b.columns(inner), into: scratch)
      } else {
        Arithmetic.columns(of: b.rows(inner), panel: .wide, into: scratch)
      }
      return UnsafePointer(scratch)
    } factors: { inner, rows, scratch in
      guard transposeA else {
        return Arithmetic.factors(a.rows(rows).columns(inner), scratch: scratch)
      }
      Arithmetic.columns(of: a.rows(inner).columns(rows), panel: .narrow, into: scratch)
      return TileFactors(panels: scratch, height: Arithmetic.units(inner.count))
    }
  }

  /// A Wᵀ (transposed) or A W, of a weight that may have been laid out and `kept`.
  func multiply(
    _ a: Matrix, byWeight weight: Matrix, transposed: Bool, _ kept: WeightPanels?,
    into output: TileOutput
  ) {
    blocks(
      rows: a.rows, columns: transposed ? weight.rows : weight.columns, inner: a.columns,
      into: output
    ) { inner, scratch in
      panels(of: weight, inner, transposed: transposed, kept, scratch)
    } factors: { inner, rows, scratch in
      Arithmetic.factors(a.rows(rows).columns(inner), scratch: scratch)
    }
  }

  /// A block of the columns of a weight, or of its rows, in wide panels: kept ones, or made anew in
  /// `scratch`.
  func panels(
    of weight: Matrix, _ inner: Range<Int>, transposed: Bool, _ kept: WeightPanels?,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let weight = transposed ? weight.columns(inner) : weight.rows(inner)
    func make(_ panels: UnsafeMutablePointer<Float>) {
      if transposed {
        Arithmetic.rows(of: weight, into: panels)
      } else {
        Arithmetic.columns(of: weight, panel: .wide, into: panels)
      }
    }
    let columns = transposed ? weight.rows : weight.columns
    let key = WeightPanels.Key(
      address: UInt(bitPattern: weight.pointer), rows: weight.rows, columns: weight.columns,
      transposed: transposed)
    let width = (columns + Tiles.panel - 1) / Tiles.panel * Tiles.panel + 16
    if let panels = kept?.panels(
      key, count: width * (Arithmetic.units(inner.count) + 16), from: pool, make: make)
    {
      return panels
    }
    make(scratch)
    return UnsafePointer(scratch)
  }

  /// Block by block of the inner index, and of the rows of C within; a rounded sum has no parts.
  ///
  /// - Parameter isDone: is told of rows of C while they are in the first-level cache, if they are few
  ///   at a time.
  @inline(__always)
  func blocks(
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
