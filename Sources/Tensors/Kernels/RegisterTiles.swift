import CLanes

/// How a factor, the same for all lanes, enters a sum of products.
protocol TileArithmetic {
  static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes)
}

/// One fused multiply-add a step of the inner index.
enum SinglePrecision: TileArithmetic {
  @inline(__always) static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes) {
    sum.addProduct(Lanes(repeating: factor), lanes)
  }
}

/// Factor and lanes carry pairs of bfloat16: two steps of the inner index at once.
enum BFloat16Pairs: TileArithmetic {
  @inline(__always) static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes) {
    sum = clanes_dot_pairs(sum, Lanes(repeating: factor), lanes)
  }
}

/// C = A B, or C + A B, a panel of 32 columns of B at a time: eight rows by 32 columns of C stay in
/// registers while the inner index runs upwards, so that the order of every sum is fixed and depends
/// on no other extent.
struct RegisterTiles<Arithmetic: TileArithmetic> {
  /// Element (i, k) of A is `a[i / 8 · aTile + i % 8 · aRow + k · aInner]`.
  let a: UnsafePointer<Float>
  let aRow: Int
  let aInner: Int
  let aTile: Int
  let c: UnsafeMutablePointer<Float>
  let cRow: Int
  let rows: Int
  let inner: Int
  let adding: Bool

  /// Columns of C in one pass.
  static var panel: Int { 32 }

  /// Columns `first ..< first + count` of C from the same columns of B, which begin at `b`.
  func multiply(_ b: UnsafePointer<Float>, bRow: Int, _ first: Int, _ count: Int) {
    if count > 16 {
      sweep(LanePair<Arithmetic>.self, b, bRow, c + first, last: count - 16)
    } else {
      sweep(LaneSingle<Arithmetic>.self, b, bRow, c + first, last: count)
    }
  }

  @inline(__always)
  private func sweep<Columns: TileColumns>(
    _: Columns.Type, _ b: UnsafePointer<Float>, _ bRow: Int, _ c: UnsafeMutablePointer<Float>,
    last: Int
  ) {
    var (row, a, c) = (0, a, c)
    while row < rows {
      let valid = min(8, rows - row)
      if valid > 4 {
        eight(Columns.self, a, b, bRow, c, last, valid)
      } else {
        four(Columns.self, a, b, bRow, c, last, valid)
      }
      row += 8
      a += aTile
      c += 8 * cRow
    }
  }
}

// MARK: - Tiles

/// Rows past `valid` compute the last valid one again and are not stored.
extension RegisterTiles {
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

private struct LaneSingle<Arithmetic: TileArithmetic>: TileColumns {
  var a: Lanes

  @inline(__always) init(a: Lanes) { self.a = a }
  @inline(__always) init(_ pointer: UnsafePointer<Float>, _ last: Int) {
    a = pointer.lanes(0, first: last)
  }
  @inline(__always) static var zero: Self { Self(a: .zero) }
  @inline(__always) mutating func addProduct(_ factor: Float, _ other: Self) {
    Arithmetic.add(factor, other.a, to: &a)
  }
  @inline(__always) static func + (x: Self, y: Self) -> Self { Self(a: x.a + y.a) }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    if last == 16 { pointer.store(a, 0) } else { pointer.store(a, 0, first: last) }
  }
}

private struct LanePair<Arithmetic: TileArithmetic>: TileColumns {
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
    Arithmetic.add(factor, other.a, to: &a)
    Arithmetic.add(factor, other.b, to: &b)
  }
  @inline(__always) static func + (x: Self, y: Self) -> Self { Self(a: x.a + y.a, b: x.b + y.b) }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    pointer.store(a, 0)
    if last == 16 { pointer.store(b, 16) } else { pointer.store(b, 16, first: last) }
  }
}
