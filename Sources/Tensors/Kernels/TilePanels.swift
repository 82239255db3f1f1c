import CLanes

/// Columns that lie side by side: as many as a tile has columns, or rows.
enum TilePanel: Int {
  case wide = 32
  case narrow = 8

  /// Of column `first`, a multiple of 16, in panels of `height` units.
  @inline(__always) func start(_ first: Int, _ height: Int) -> Int {
    first / rawValue * rawValue * height + first % rawValue
  }

  /// Sixteen columns: half a wide panel, or two narrow ones.
  @inline(__always)
  func store(_ value: Lanes, _ to: UnsafeMutablePointer<Float>, _ height: Int) {
    switch self {
    case .wide: to.store(value, 0)
    case .narrow:
      UnsafeMutableRawPointer(to).storeBytes(of: value.lowHalf, as: SIMD8<Float>.self)
      UnsafeMutableRawPointer(to + 8 * height)
        .storeBytes(of: value.highHalf, as: SIMD8<Float>.self)
    }
  }
}

/// One number a unit, one fused multiply-add for it.
enum SinglePrecision: TileArithmetic {
  static var span: Int { 1 }

  @inline(__always) static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes) {
    sum.addProduct(Lanes(repeating: factor), lanes)
  }

  @inline(__always)
  static func columns(
    of x: Matrix, panel: TilePanel, into panels: UnsafeMutablePointer<Float>
  ) {
    var (from, to) = (x.pointer, panels)
    for _ in 0..<x.rows {
      for first in stride(from: 0, to: x.columns, by: 16) {
        clanes_prefetch(from + (16 * x.stride + first))
        panel.store(
          from.part(first, min(16, x.columns - first)), to + panel.start(first, x.rows), x.rows)
      }
      from += x.stride
      to += panel.rawValue
    }
  }

  static func rows(of x: Matrix, into panels: UnsafeMutablePointer<Float>) {
    let panel = TilePanel.wide.rawValue
    for first in stride(from: 0, to: x.rows, by: panel) {
      turn(x, rows: first..<min(first + panel, x.rows), into: panels + first * x.columns)
    }
  }

  static func factors(_ x: Matrix, scratch: UnsafeMutablePointer<Float>) -> TileFactors {
    TileFactors(rows: x.pointer, stride: x.stride)
  }

  /// The transpose of some rows of units, in rows of a wide panel.
  static func turn(
    _ x: Matrix, rows: Range<Int>, into turned: UnsafeMutablePointer<Float>
  ) {
    let panel = TilePanel.wide.rawValue
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
      let height = Int32(truncatingIfNeeded: min(16, rows.upperBound - row))
      for column in stride(from: 0, to: x.columns, by: 16) {
        clanes_transpose(
          x.pointer + (row * x.stride + column), x.stride, height,
          Int32(truncatingIfNeeded: min(16, x.columns - column)),
          turned + (column * panel + row - rows.lowerBound), panel)
      }
    }
  }
}

/// Pairs of bfloat16: two steps of the inner index at once.
enum BFloat16Pairs: TileArithmetic {
  static var span: Int { 2 }

  @inline(__always) static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes) {
    sum = clanes_dot_pairs(sum, Lanes(repeating: factor), lanes)
  }

  @inline(__always)
  static func columns(
    of x: Matrix, panel: TilePanel, into panels: UnsafeMutablePointer<Float>
  ) {
    PairPacking.across(x, panel: panel, into: panels)
  }

  static func rows(of x: Matrix, into panels: UnsafeMutablePointer<Float>) {
    let (panel, height) = (TilePanel.wide.rawValue, units(x.columns))
    for row in stride(from: 0, to: x.rows, by: 16) {
      let rows = Int32(truncatingIfNeeded: min(16, x.rows - row))
      for column in stride(from: 0, to: x.columns, by: 32) {
        clanes_transpose_to_pairs(
          x.pointer + (row * x.stride + column), x.stride, rows,
          Int32(truncatingIfNeeded: min(32, x.columns - column)),
          panels + (TilePanel.wide.start(row, height) + column / 2 * panel), panel)
      }
    }
  }

  static func factors(_ x: Matrix, scratch: UnsafeMutablePointer<Float>) -> TileFactors {
    let packed = PairMatrix(
      pointer: scratch, rows: x.rows, columns: x.columns, stride: units(x.columns))
    PairPacking.neighbours(x, into: packed)
    return TileFactors(rows: scratch, stride: packed.stride)
  }
}
