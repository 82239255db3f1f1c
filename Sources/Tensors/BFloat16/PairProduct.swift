/// Products of operands that are in bfloat16 already, with sums in single precision; rows of A are
/// multiplied where they lie.
extension TileProduct<BFloat16Pairs> {
  /// A Wᵀ (transposed) or A W, of a weight in single precision that may have been laid out and
  /// `kept`.
  func multiply(
    _ a: PairMatrix, byWeight weight: Matrix, transposed: Bool, _ kept: WeightPanels?,
    into output: TileOutput
  ) {
    blocks(
      rows: a.rows, columns: transposed ? weight.rows : weight.columns, inner: a.columns,
      into: output
    ) { inner, scratch in
      panels(of: weight, inner, transposed: transposed, kept, scratch)
    } factors: { inner, rows, _ in
      TileFactors(rows: a.rows(rows).columns(inner).pointer, stride: a.stride)
    }
  }

  /// A Bᵀ, some rows at a time that `isDone` finds in the first-level cache.
  func multiplyByRows(
    _ a: PairMatrix, turned b: PairMatrix, into c: Matrix, isDone: (_ rows: Range<Int>) -> Void
  ) {
    blocks(
      rows: a.rows, columns: b.rows, inner: a.columns, into: TileOutput(c), rowBlock: 32
    ) { _, scratch in
      SinglePrecision.rows(of: b.units, into: scratch)
      return UnsafePointer(scratch)
    } factors: { _, rows, _ in
      TileFactors(rows: a.rows(rows).pointer, stride: a.stride)
    } isDone: {
      isDone($0)
    }
  }

  func multiply(
    _ a: PairMatrix, transposed transposeA: Bool, _ b: PairMatrix, transposed transposeB: Bool,
    into output: TileOutput
  ) {
    blocks(
      rows: transposeA ? a.columns : a.rows, columns: transposeB ? b.rows : b.columns,
      inner: transposeA ? a.rows : a.columns, by: transposeA ? Self.batchBlock : Self.innerBlock,
      into: output
    ) { inner, scratch in
      if transposeB {
        SinglePrecision.rows(of: b.columns(inner).units, into: scratch)
      } else {
        PairPacking.across(b.rows(inner), panel: .wide, into: scratch)
      }
      return UnsafePointer(scratch)
    } factors: { inner, rows, scratch in
      guard transposeA else {
        let a = a.rows(rows).columns(inner)
        return TileFactors(rows: a.pointer, stride: a.stride)
      }
      PairPacking.across(a.rows(inner).columns(rows), panel: .narrow, into: scratch)
      return TileFactors(panels: scratch, height: PairPacking.pairs(inner.count))
    }
  }
}
