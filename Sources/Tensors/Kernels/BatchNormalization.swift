/// Batch normalisation of channels (Ioffe and Szegedy, 2015): y = γ (x - μ) / σ + β with mean and
/// variance over all rows of `[rows, width]`.
public enum BatchNormalization {
  /// Mean and biased variance of every column, in two passes.
  public static func moments(
    _ x: UnsafePointer<Float>, rows: Int, width: Int,
    mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>
  ) {
    let share = 1 / Float(rows)
    mean.update(repeating: 0, count: width)
    variance.update(repeating: 0, count: width)
    ColumnSums.add(x, rows: rows, width: width, to: mean)
    Elementwise.scale(mean, by: share, into: mean, count: width)
    ColumnSums.addSquares(x, minus: mean, rows: rows, width: width, to: variance)
    Elementwise.scale(variance, by: share, into: variance, count: width)
  }

  /// y ← factor ∘ x + offset, row by row.
  public static func apply(
    _ x: UnsafePointer<Float>, rows: Int, width: Int, factor: UnsafePointer<Float>,
    offset: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      let (x, y) = (x + row * width, y + row * width)
      forEachLanes(width) { i, n in
        let value = offset.part(i, n).addingProduct(x.part(i, n), factor.part(i, n))
        y.store(value, i, first: n)
      }
    }
  }

  /// dx ← a ∘ dy + b ∘ (x - center) + c, or dx plus that: the gradient of normalisation by the rows'
  /// own statistics, with the channels' sums already in b and c.
  public static func inputGradient(
    _ x: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>, rows: Int, width: Int,
    center: UnsafePointer<Float>, a: UnsafePointer<Float>, b: UnsafePointer<Float>,
    c: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, adding: Bool
  ) {
    for row in 0..<rows {
      let (x, dy, dx) = (x + row * width, dy + row * width, dx + row * width)
      forEachLanes(width) { i, n in
        let distance = x.part(i, n) - center.part(i, n)
        var value = c.part(i, n).addingProduct(distance, b.part(i, n))
        value.addProduct(dy.part(i, n), a.part(i, n))
        if adding { value += dx.part(i, n) }
        dx.store(value, i, first: n)
      }
    }
  }
}

/// Sums of columns over very many rows: blocks of rows are summed first, so that the error grows
/// with the number of blocks and not of rows.
public enum ColumnSums {
  private static let block = 128

  /// total ← total + Σ x
  public static func add(
    _ x: UnsafePointer<Float>, rows: Int, width: Int, to total: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: rows, by: block) {
      Elementwise.addColumnSums(
        x + first * width, rows: min(block, rows - first), width: width, to: total)
    }
  }

  /// total ← total + Σ (x - center)²
  public static func addSquares(
    _ x: UnsafePointer<Float>, minus center: UnsafePointer<Float>, rows: Int, width: Int,
    to total: UnsafeMutablePointer<Float>
  ) {
    addProducts(x, minus: center, x, minus: center, rows: rows, width: width, to: total)
  }

  /// total ← total + Σ a ∘ (b - center)
  public static func addProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, minus center: UnsafePointer<Float>? = nil,
    rows: Int, width: Int, to total: UnsafeMutablePointer<Float>
  ) {
    addProducts(a, minus: nil, b, minus: center, rows: rows, width: width, to: total)
  }

  @inline(__always) private static func addProducts(
    _ a: UnsafePointer<Float>, minus aCenter: UnsafePointer<Float>?, _ b: UnsafePointer<Float>,
    minus bCenter: UnsafePointer<Float>?, rows: Int, width: Int,
    to total: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: rows, by: block) {
      let count = min(block, rows - first)
      forEachLanes(width) { i, n in
        let aMiddle = aCenter?.part(i, n) ?? .zero
        let bMiddle = bCenter?.part(i, n) ?? .zero
        var sum = Lanes.zero
        var (p, q) = (a + (first * width + i), b + (first * width + i))
        for _ in 0..<count {
          sum.addProduct(p.part(0, n) - aMiddle, q.part(0, n) - bMiddle)
          p += width
          q += width
        }
        total.store(total.lanes(i, first: n) + sum, i, first: n)
      }
    }
  }
}
