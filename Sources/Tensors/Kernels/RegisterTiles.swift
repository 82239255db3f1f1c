import CLanes

/// The numbers of a product by tiles, and how a factor enters a sum.
///
/// Operands lie in units as wide as a float: one number, or as many as are multiplied at once.
protocol TileArithmetic {
  /// Steps of the inner index in one unit.
  static var span: Int { get }

  static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes)
}

extension TileArithmetic {
  /// Units that hold `count` numbers.
  static func units(_ count: Int) -> Int { (count + span - 1) / span }
}

/// One number a unit, one fused multiply-add for it.
enum SinglePrecision: TileArithmetic {
  static var span: Int { 1 }

  @inline(__always) static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes) {
    sum.addProduct(Lanes(repeating: factor), lanes)
  }
}

/// Where tiles find the elements of A; see `RegisterTiles.a`.
struct TileFactors {
  let pointer: UnsafePointer<Float>
  let row: Int
  let inner: Int
  let tile: Int

  /// Rows of units.
  init(rows: UnsafePointer<Float>, stride: Int) {
    pointer = rows
    (row, inner, tile) = (stride, 1, 8 * stride)
  }

  /// The columns of rows of units.
  init(columns: UnsafePointer<Float>, stride: Int) {
    pointer = columns
    (row, inner, tile) = (1, stride, 8)
  }

  /// Narrow panels of units.
  init(panels: UnsafePointer<Float>, height: Int) {
    pointer = panels
    (row, inner, tile) = (1, 8, 8 * height)
  }
}

/// C = A B, a panel of 32 columns of B at a time: eight rows by 32 columns of C stay in registers
/// while the inner index runs upwards, so that the order of every sum is fixed and depends on no other
/// extent.
struct RegisterTiles<Arithmetic: TileArithmetic> {
  /// Element (i, k) of A is `a.pointer[i / 8 · a.tile + i % 8 · a.row + k · a.inner]`.
  let a: TileFactors
  let rows: Int
  let columns: Int
  let inner: Int
  let output: TileOutput

  /// Columns of C in one pass.
  static var panel: Int { TilePanel.wide.rawValue }

  /// All columns of C from the panels of B, one after the other.
  func multiply(panels: UnsafePointer<Float>) {
    for first in stride(from: 0, to: columns, by: Self.panel) {
      multiply(
        panels + first * inner, bRow: Self.panel, first, min(Self.panel, columns - first))
    }
  }

  /// Columns `first ..< first + count` of C from the same columns of B, which begin at `b`.
  func multiply(_ b: UnsafePointer<Float>, bRow: Int, _ first: Int, _ count: Int) {
    if count > 16 {
      sweep(LanePair<Arithmetic>.self, b, bRow, first, last: count - 16)
    } else {
      sweep(LaneSingle<Arithmetic>.self, b, bRow, first, last: count)
    }
  }

  @inline(__always)
  private func sweep<Columns: TileColumns>(
    _: Columns.Type, _ b: UnsafePointer<Float>, _ bRow: Int, _ column: Int, last: Int
  ) {
    let aRow = a.row
    var (row, a) = (0, a.pointer)
    while row < rows {
      let valid = min(8, rows - row)
      if valid == 8 {
        eight(Columns.self, a, b, bRow, row, column, last, 8) { $0 &* aRow }
      } else if valid > 4 {
        eight(Columns.self, a, b, bRow, row, column, last, valid) { min($0, valid - 1) &* aRow }
      } else {
        four(Columns.self, a, b, bRow, row, column, last, valid) { min($0, valid - 1) &* aRow }
      }
      row += 8
      a += self.a.tile
    }
  }
}

// MARK: - Tiles

/// `at` is where a row of A begins: for rows past `valid`, which are not stored, at the last valid one.
extension RegisterTiles {
  @inline(__always)
  private func eight<Columns: TileColumns>(
    _: Columns.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bRow: Int,
    _ row: Int, _ column: Int, _ last: Int, _ valid: Int, at: (Int) -> Int
  ) {
    // Their way from memory takes as long as some tens of steps of the loop; the short products of
    // attention heads stay in the cache.
    if inner > 64 { for i in 0..<valid { output.prefetch(row + i, column) } }
    var (s0, s1, s2, s3) = (Columns.zero, Columns.zero, Columns.zero, Columns.zero)
    var (s4, s5, s6, s7) = (Columns.zero, Columns.zero, Columns.zero, Columns.zero)
    var (a, b, left) = (a, b, inner)
    while left > 0 {
      fetchAhead(b, bRow)
      let columns = Columns(b, last)
      s0.addProduct(a[at(0)], columns)
      s1.addProduct(a[at(1)], columns)
      s2.addProduct(a[at(2)], columns)
      s3.addProduct(a[at(3)], columns)
      s4.addProduct(a[at(4)], columns)
      s5.addProduct(a[at(5)], columns)
      s6.addProduct(a[at(6)], columns)
      s7.addProduct(a[at(7)], columns)
      a += self.a.inner
      b += bRow
      left &-= 1
    }
    finish(s0, row, column, last)
    finish(s1, row + 1, column, last)
    finish(s2, row + 2, column, last)
    finish(s3, row + 3, column, last)
    finish(s4, row + 4, column, last)
    if valid > 5 { finish(s5, row + 5, column, last) }
    if valid > 6 { finish(s6, row + 6, column, last) }
    if valid > 7 { finish(s7, row + 7, column, last) }
  }

  @inline(__always)
  private func four<Columns: TileColumns>(
    _: Columns.Type, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bRow: Int,
    _ row: Int, _ column: Int, _ last: Int, _ valid: Int, at: (Int) -> Int
  ) {
    var (s0, s1, s2, s3) = (Columns.zero, Columns.zero, Columns.zero, Columns.zero)
    var (a, b, left) = (a, b, inner)
    while left > 0 {
      fetchAhead(b, bRow)
      let columns = Columns(b, last)
      s0.addProduct(a[at(0)], columns)
      s1.addProduct(a[at(1)], columns)
      s2.addProduct(a[at(2)], columns)
      s3.addProduct(a[at(3)], columns)
      a += self.a.inner
      b += bRow
      left &-= 1
    }
    finish(s0, row, column, last)
    if valid > 1 { finish(s1, row + 1, column, last) }
    if valid > 2 { finish(s2, row + 2, column, last) }
    if valid > 3 { finish(s3, row + 3, column, last) }
  }

  /// Panels that were laid out long ago come from memory, which takes some hundred cycles: the next
  /// panel's first rows are fetched as well, as it follows.
  @inline(__always)
  private func fetchAhead(_ b: UnsafePointer<Float>, _ bRow: Int) {
    clanes_prefetch(b + 32 &* bRow)
    clanes_prefetch(b + (32 &* bRow &+ 16))
  }

  @inline(__always)
  private func finish<Columns: TileColumns>(
    _ sum: Columns, _ row: Int, _ column: Int, _ last: Int
  ) {
    var sum = sum
    if let bias = output.bias { sum.add(Columns(bias + column, last)) }
    if let addend = output.addend {
      sum.add(Columns(addend + (row * output.addendStride + column), last))
    }
    if output.rounds {
      sum.storePairs(output.pointer + (row * output.stride + column / 2), last)
    } else {
      sum.store(output.pointer + (row * output.stride + column), last)
    }
  }
}

/// One row of a tile: whole vectors and a last one of `last` lanes.
private protocol TileColumns {
  static var zero: Self { get }
  init(_ pointer: UnsafePointer<Float>, _ last: Int)
  mutating func addProduct(_ factor: Float, _ other: Self)
  mutating func add(_ other: Self)
  func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int)
  /// Rounded, as pairs of neighbours.
  func storePairs(_ pointer: UnsafeMutablePointer<Float>, _ last: Int)
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
  @inline(__always) mutating func add(_ other: Self) { a += other.a }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    if last == 16 { pointer.store(a, 0) } else { pointer.store(a, 0, first: last) }
  }
  @inline(__always) func storePairs(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    pointer.store(clanes_pairs_of_neighbours(a, .zero), 0, first: PairPacking.pairs(last))
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
  @inline(__always) mutating func add(_ other: Self) {
    a += other.a
    b += other.b
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    pointer.store(a, 0)
    if last == 16 { pointer.store(b, 16) } else { pointer.store(b, 16, first: last) }
  }
  @inline(__always) func storePairs(_ pointer: UnsafeMutablePointer<Float>, _ last: Int) {
    let pairs = clanes_pairs_of_neighbours(a, b)
    if last == 16 {
      pointer.store(pairs, 0)
    } else {
      pointer.store(pairs, 0, first: 8 + PairPacking.pairs(last))
    }
  }
}
