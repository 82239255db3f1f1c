import CLanes

/// C = A B, or C + A B, for matrices so small that a library's preparations cost more than its speed
/// wins: the products of one attention head.
///
/// Eight rows by 32 columns of C stay in registers while the inner index runs upwards, one fused
/// multiply-add a step: the order of every sum is fixed and depends on no other extent. The error of
/// an element is at most inner · 2⁻²⁴ Σ |a b|.
struct SmallProduct {
  /// Element (i, k) of A is `a[i · aRow + k · aInner]`: one factor is 1, which gives A or its
  /// transpose.
  private let a: UnsafePointer<Float>
  private let aRow: Int
  private let aInner: Int
  private let c: UnsafeMutablePointer<Float>
  private let cRow: Int
  private let rows: Int
  private let inner: Int
  private let adding: Bool

  /// Columns of C in one pass.
  private static let panel = 32

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
    let product = SmallProduct(
      a: a.pointer, aRow: transposeA ? 1 : a.stride, aInner: transposeA ? a.stride : 1,
      c: c.pointer, cRow: c.stride, rows: c.rows, inner: transposeA ? a.rows : a.columns,
      adding: adding)
    guard transposeB else {
      for first in stride(from: 0, to: c.columns, by: panel) {
        product.multiply(b.pointer + first, bRow: b.stride, first, min(panel, c.columns - first))
      }
      return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: (product.inner + 15) * panel) {
      let turned = $0.baseAddress!
      for first in stride(from: 0, to: c.columns, by: panel) {
        let count = min(panel, c.columns - first)
        turn(b, rows: first..<first + count, into: turned)
        product.multiply(turned, bRow: panel, first, count)
      }
    }
  }

  /// The transpose of some rows of `b`, in rows of `panel`.
  private static func turn(
    _ b: Matrix, rows: Range<Int>, into turned: UnsafeMutablePointer<Float>
  ) {
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
      let height = Int32(truncatingIfNeeded: min(16, rows.upperBound - row))
      for column in stride(from: 0, to: b.columns, by: 16) {
        clanes_transpose(
          b.pointer + (row * b.stride + column), b.stride, height,
          Int32(truncatingIfNeeded: min(16, b.columns - column)),
          turned + (column * panel + row - rows.lowerBound), panel)
      }
    }
  }

  /// Columns `first ..< first + count` of C from the same columns of B, which begin at `b`.
  private func multiply(_ b: UnsafePointer<Float>, bRow: Int, _ first: Int, _ count: Int) {
    if count > 16 {
      sweep(LanePair.self, b, bRow, c + first, last: count - 16)
    } else {
      sweep(LaneSingle.self, b, bRow, c + first, last: count)
    }
  }

  @inline(__always)
  private func sweep<Columns: TileColumns>(
    _: Columns.Type, _ b: UnsafePointer<Float>, _ bRow: Int, _ c: UnsafeMutablePointer<Float>,
    last: Int
  ) {
    var row = 0
    while row < rows {
      let valid = min(8, rows - row)
      let (a, c) = (a + row * aRow, c + row * cRow)
      if valid > 4 {
        eight(Columns.self, a, b, bRow, c, last, valid)
      } else {
        four(Columns.self, a, b, bRow, c, last, valid)
      }
      row += 8
    }
  }
}

// MARK: - Tiles

/// Rows past `valid` compute the last valid one again and are not stored.
extension SmallProduct {
  @inline(__always)
  private func eight<Columns: TileColumns>(
    _: Columns.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bRow: Int,
    _ c: UnsafeMutablePointer<Float>, _ last: Int, _ valid: Int
  ) {
    let (p0, p1, p2, p3) = (a, a + aRow, a + 2 * aRow, a + 3 * aRow)
    let p4 = a + 4 * aRow
    let p5 = a + min(5, valid - 1) * aRow
    let p6 = a + min(6, valid - 1) * aRow
    let p7 = a + min(7, valid - 1) * aRow
    var (s0, s1, s2, s3) = (Columns.zero, Columns.zero, Columns.zero, Columns.zero)
    var (s4, s5, s6, s7) = (Columns.zero, Columns.zero, Columns.zero, Columns.zero)
    var (b, k) = (b, 0)
    for _ in 0..<inner {
      let columns = Columns(b, last)
      s0.addProduct(p0[k], columns)
      s1.addProduct(p1[k], columns)
      s2.addProduct(p2[k], columns)
      s3.addProduct(p3[k], columns)
      s4.addProduct(p4[k], columns)
      s5.addProduct(p5[k], columns)
      s6.addProduct(p6[k], columns)
      s7.addProduct(p7[k], columns)
      b += bRow
      k += aInner
    }
    finish(s0, c, last)
    finish(s1, c + cRow, last)
    finish(s2, c + 2 * cRow, last)
    finish(s3, c + 3 * cRow, last)
    finish(s4, c + 4 * cRow, last)
    if valid > 5 { finish(s5, c + 5 * cRow, last) }
    if valid > 6 { finish(s6, c + 6 * cRow, last) }
    if valid > 7 { finish(s7, c + 7 * cRow, last) }
  }

  @inline(__always)
  private func four<Columns: TileColumns>(
    _: Columns.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bRow: Int,
    _ c: UnsafeMutablePointer<Float>, _ last: Int, _ valid: Int
  ) {
    let p1 = a + min(1, valid - 1) * aRow
    let p2 = a + min(2, valid - 1) * aRow
    let p3 = a + min(3, valid - 1) * aRow
    var (s0, s1, s2, s3) = (Columns.zero, Columns.zero, Columns.zero, Columns.zero)
    var (b, k) = (b, 0)
    for _ in 0..<inner {
      let columns = Columns(b, last)
      s0.addProduct(a[k], columns)
      s1.addProduct(p1[k], columns)
      s2.addProduct(p2[k], columns)
      s3.addProduct(p3[k], columns)
      b += bRow
      k += aInner
    }
    finish(s0, c, last)
    if valid > 1 { finish(s1, c + cRow, last) }
    if valid > 2 { finish(s2, c + 2 * cRow, last) }
    if valid > 3 { finish(s3, c + 3 * cRow, last) }
  }

  @inline(__always)
  private func finish<Columns: TileColumns>(
    _ sum: Columns, _ c: UnsafeMutablePointer<Float>, _ last: Int
  ) {
    if adding { (Columns(c, last) + sum).store(c, last) } else { sum.store(c, last) }
  }
}

/// One row of a tile: whole vectors and a last one of `last` lanes.
private protocol TileColumns {
  static var zero: Self { get }
  init(_ pointer: UnsafePointer<Float>, _ last: Int)
  mutating func addProduct(_ factor: Float, _ other: Self)
  static func + (a: Self, b: Self) -> Self
  func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int)
}

private struct LaneSingle: TileColumns {
  var a: Lanes

  @inline(__always) init(a: Lanes) { self.a = a }
  @inline(__always) init(_ pointer: UnsafePointer<Float>, _ last: Int) {
    a = pointer.lanes(0, first: last)
  }
  @inline(__always) static var zero: Self { Self(a: .zero) }
  @inline(__always) mutating func addProduct(_ factor: Float, _ other: Self) {
    a.addProduct(Lanes(repeating: factor), other.a)
  }
  @inline(__always) static func + (x: Self, y: Self) -> Self { Self(a: x.a + y.a) }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    if last == 16 { pointer.store(a, 0) } else { pointer.store(a, 0, first: last) }
  }
}

private struct LanePair: TileColumns {
  var a: Lanes
  var b: Lanes

  @inline(__always) init(a: Lanes, b: Lanes) {
    self.a = a
    self.b = b
  }
  @inline(__always) init(_ pointer: UnsafePointer<Float>, _ last: Int) {
    a = pointer.lanes(0)
    b = pointer.lanes(16, first: last)
  }
  @inline(__always) static var zero: Self { Self(a: .zero, b: .zero) }
  @inline(__always) mutating func addProduct(_ factor: Float, _ other: Self) {
    let factor = Lanes(repeating: factor)
    a.addProduct(factor, other.a)
    b.addProduct(factor, other.b)
  }
  @inline(__always) static func + (x: Self, y: Self) -> Self { Self(a: x.a + y.a, b: x.b + y.b) }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    pointer.store(a, 0)
    if last == 16 { pointer.store(b, 16) } else { pointer.store(b, 16, first: last) }
  }
}
