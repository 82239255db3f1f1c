import CLanes

/// A matrix as an operand of a product by tiles, and how parts of it are laid out there.
protocol TileOperand {
  associatedtype Arithmetic: TileArithmetic

  var pointer: UnsafeMutablePointer<Float> { get }
  var rows: Int { get }
  var columns: Int { get }
  /// Some rows, in place.
  func rows(_ range: Range<Int>) -> Self
  /// Some columns, in place, from the first of a unit on.
  func columns(_ range: Range<Int>) -> Self

  /// Writes the columns, whose inner index runs down the rows, in panels: unit t of column j to
  /// `panels + j / panel · panel · height + t · panel + j % panel`. What fills the last panel is
  /// undefined.
  func layOutColumns(in panel: TilePanel, at panels: UnsafeMutablePointer<Float>)
  /// Writes the rows, along which the inner index runs, as the columns of wide panels.
  func layOutRows(at panels: UnsafeMutablePointer<Float>)
  /// The rows as they are multiplied, which may need space.
  func factors(scratch: UnsafeMutablePointer<Float>) -> TileFactors
}

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

extension Matrix: TileOperand {
  typealias Arithmetic = SinglePrecision

  func rows(_ range: Range<Int>) -> Matrix {
    Matrix(pointer + range.lowerBound * stride, range.count, columns, stride: stride)
  }

  func columns(_ range: Range<Int>) -> Matrix {
    Matrix(pointer + range.lowerBound, rows, range.count, stride: stride)
  }

  // Row by row, so that memory is read in the order in which it lies.
  @inline(__always)
  func layOutColumns(in panel: TilePanel, at panels: UnsafeMutablePointer<Float>) {
    var (from, to) = (UnsafePointer(pointer), panels)
    for _ in 0..<rows {
      for first in Swift.stride(from: 0, to: columns, by: 16) {
        clanes_prefetch(from + (16 * stride + first))
        panel.store(from.part(first, min(16, columns - first)), to + panel.start(first, rows), rows)
      }
      from += stride
      to += panel.rawValue
    }
  }

  func layOutRows(at panels: UnsafeMutablePointer<Float>) {
    let panel = TilePanel.wide.rawValue
    for first in Swift.stride(from: 0, to: rows, by: panel) {
      rows(first..<min(first + panel, rows)).turn(into: panels + first * columns)
    }
  }

  func factors(scratch: UnsafeMutablePointer<Float>) -> TileFactors {
    TileFactors(rows: pointer, stride: stride)
  }

  /// The transpose of at most as many rows as a wide panel has columns, as that panel.
  func turn(into panel: UnsafeMutablePointer<Float>) {
    let width = TilePanel.wide.rawValue
    for row in Swift.stride(from: 0, to: rows, by: 16) {
      let height = Int32(truncatingIfNeeded: min(16, rows - row))
      for column in Swift.stride(from: 0, to: columns, by: 16) {
        clanes_transpose(
          pointer + (row * stride + column), stride, height,
          Int32(truncatingIfNeeded: min(16, columns - column)),
          panel + (column * width + row), width)
      }
    }
  }
}
