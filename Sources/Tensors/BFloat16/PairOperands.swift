import CLanes

/// Pairs of bfloat16: two steps of the inner index at once.
enum BFloat16Pairs: TileArithmetic {
  static var span: Int { 2 }

  @inline(__always) static func add(_ factor: Float, _ lanes: Lanes, to sum: inout Lanes) {
    sum = clanes_dot_pairs(sum, Lanes(repeating: factor), lanes)
  }
}

/// A matrix in single precision that is rounded as it is laid out. A zero goes with the last of an odd
/// number of inner steps.
struct RoundedMatrix: TileOperand {
  typealias Arithmetic = BFloat16Pairs

  let matrix: Matrix

  init(_ matrix: Matrix) { self.matrix = matrix }

  var pointer: UnsafeMutablePointer<Float> { matrix.pointer }
  var rows: Int { matrix.rows }
  var columns: Int { matrix.columns }
  func rows(_ range: Range<Int>) -> Self { Self(matrix.rows(range)) }
  func columns(_ range: Range<Int>) -> Self { Self(matrix.columns(range)) }

  @inline(__always)
  func layOutColumns(in panel: TilePanel, at panels: UnsafeMutablePointer<Float>) {
    let height = PairPacking.pairs(rows)
    var (from, to) = (UnsafePointer(pointer), panels)
    for t in 0..<height {
      let hasSecond = 2 * t + 1 < rows
      let below = from + (hasSecond ? matrix.stride : 0)
      for first in stride(from: 0, to: columns, by: 16) {
        let count = min(16, columns - first)
        clanes_prefetch(from + (16 * matrix.stride + first))
        clanes_prefetch(from + (17 * matrix.stride + first))
        let second = hasSecond ? below.part(first, count) : Lanes.zero
        panel.store(
          clanes_pairs_across(from.part(first, count), second), to + panel.start(first, height),
          height)
      }
      from += 2 * matrix.stride
      to += panel.rawValue
    }
  }

  func layOutRows(at panels: UnsafeMutablePointer<Float>) {
    let (width, height) = (TilePanel.wide.rawValue, PairPacking.pairs(columns))
    for row in stride(from: 0, to: rows, by: 16) {
      let count = Int32(truncatingIfNeeded: min(16, rows - row))
      for column in stride(from: 0, to: columns, by: 32) {
        clanes_transpose_to_pairs(
          pointer + (row * matrix.stride + column), matrix.stride, count,
          Int32(truncatingIfNeeded: min(32, columns - column)),
          panels + (TilePanel.wide.start(row, height) + column / 2 * width), width)
      }
    }
  }

  func factors(scratch: UnsafeMutablePointer<Float>) -> TileFactors {
    let packed = PairMatrix(
      pointer: scratch, rows: rows, columns: columns, stride: PairPacking.pairs(columns))
    PairPacking.neighbours(matrix, into: packed)
    return packed.factors(scratch: scratch)
  }
}

extension PairMatrix: TileOperand {
  typealias Arithmetic = BFloat16Pairs

  @inline(__always)
  func layOutColumns(in panel: TilePanel, at panels: UnsafeMutablePointer<Float>) {
    let height = PairPacking.pairs(rows)
    var (from, to) = (UnsafePointer(pointer), panels)
    for t in 0..<height {
      let hasSecond = 2 * t + 1 < rows
      var column = 0
      while column < columns {
        clanes_prefetch(from + (16 * stride + column / 2))
        clanes_prefetch(from + (17 * stride + column / 2))
        let a = from.lanes(column / 2)
        let b = hasSecond ? (from + stride).lanes(column / 2) : Lanes.zero
        panel.store(clanes_pairs_across_low(a, b), to + panel.start(column, height), height)
        if column + 16 < columns {
          panel.store(
            clanes_pairs_across_high(a, b), to + panel.start(column + 16, height), height)
        }
        column += 32
      }
      from += 2 * stride
      to += panel.rawValue
    }
  }

  func layOutRows(at panels: UnsafeMutablePointer<Float>) { units.layOutRows(at: panels) }

  func factors(scratch: UnsafeMutablePointer<Float>) -> TileFactors {
    TileFactors(rows: pointer, stride: stride)
  }
}
