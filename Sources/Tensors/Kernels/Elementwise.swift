/// Passes over whole buffers. Every one reads and writes each element once.
public enum Elementwise {
  /// y ← y + x
  public static func add(
    _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for i in 0..<count { y[i] += x[i] }
  }

  /// y ← y + factor · x
  public static func add(
    _ x: UnsafePointer<Float>, times factor: Float, to y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for i in 0..<count { y[i] = y[i].addingProduct(factor, x[i]) }
  }

  /// y ← x + factor · z
  public static func add(
    _ x: UnsafePointer<Float>, _ z: UnsafePointer<Float>, times factor: Float,
    into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for i in 0..<count { y[i] = x[i].addingProduct(factor, z[i]) }
  }

  /// y ← factor · x; `y` may be `x`.
  public static func scale(
    _ x: UnsafePointer<Float>, by factor: Float, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for i in 0..<count { y[i] = factor * x[i] }
  }

  /// Every row of `y` becomes `row`: a product that adds into y then carries its bias for nothing.
  public static func fill(
    rows: Int, width: Int, with row: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    for r in 0..<rows { (y + r * width).update(from: row, count: width) }
  }

  /// Every row of `y` becomes the row of `x` plus `row`.
  public static func add(
    _ row: UnsafePointer<Float>, toRowsOf x: UnsafePointer<Float>, rows: Int, width: Int,
    into y: UnsafeMutablePointer<Float>
  ) {
    for r in 0..<rows {
      let x = x + r * width
      let y = y + r * width
      for i in 0..<width { y[i] = x[i] + row[i] }
    }
  }

  /// total ← total + Σ over rows of x: a bias gradient. Columns are taken 64 at a time, so that the
  /// sums stay in registers.
  public static func addColumnSums(
    _ x: UnsafePointer<Float>, rows: Int, width: Int, to total: UnsafeMutablePointer<Float>
  ) {
    var column = 0
    while column + 64 <= width {
      var a = Lanes.zero, b = Lanes.zero, c = Lanes.zero, d = Lanes.zero
      var p = x + column
      for _ in 0..<rows {
        a += p.lanes(0)
        b += p.lanes(16)
        c += p.lanes(32)
        d += p.lanes(48)
        p += width
      }
      total.store(total.lanes(column) + a, column)
      total.store(total.lanes(column + 16) + b, column + 16)
      total.store(total.lanes(column + 32) + c, column + 32)
      total.store(total.lanes(column + 48) + d, column + 48)
      column += 64
    }
    while column < width {
      let n = min(16, width - column)
      var sum = Lanes.zero
      for r in 0..<rows {
        let p = x + (r * width + column)
        sum += n == 16 ? p.lanes(0) : p.lanes(0, first: n)
      }
      let old = total.lanes(column, first: n)
      total.store(old + sum, column, first: n)
      column += n
    }
  }

  /// Σ x in sixteen lanes.
  public static func sum(_ x: UnsafePointer<Float>, count: Int) -> Float {
    var sum = Lanes.zero
    forEachLanes(count) { index, n in
      sum += n == 16 ? x.lanes(index) : x.lanes(index, first: n)
    }
    return sum.total
  }

  /// Σ x y in sixteen lanes.
  public static func dot(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int
  ) -> Float {
    var sum = Lanes.zero
    forEachLanes(count) { index, n in
      sum.addProduct(x.lanes(index, first: n), y.lanes(index, first: n))
    }
    return sum.total
  }

  /// Σ (x - y)², lane by lane in single precision over runs of 4096, then in double.
  public static func squaredDistance(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int
  ) -> Double {
    var sum = 0.0
    for start in stride(from: 0, to: count, by: 4096) {
      var lanes = Lanes.zero
      let (x, y) = (x + start, y + start)
      forEachLanes(min(4096, count - start)) { index, n in
        let difference = x.lanes(index, first: n) - y.lanes(index, first: n)
        lanes.addProduct(difference, difference)
      }
      sum += Double(lanes.total)
    }
    return sum
  }

  /// z ← factor · (x - y), or z += that.
  public static func addDifference(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, times factor: Float,
    to z: UnsafeMutablePointer<Float>, adding: Bool, count: Int
  ) {
    let scale = Lanes(repeating: factor)
    forEachLanes(count) { index, n in
      let difference = (x.lanes(index, first: n) - y.lanes(index, first: n)) * scale
      z.store(adding ? z.lanes(index, first: n) + difference : difference, index, first: n)
    }
  }

  /// Whether every element is a number.
  public static func isFinite(_ x: UnsafePointer<Float>, count: Int) -> Bool {
    // x · 0 is 0 for numbers and NaN for infinities and NaN.
    var sum = Lanes.zero
    forEachLanes(count) { index, n in
      sum += (n == 16 ? x.lanes(index) : x.lanes(index, first: n)) * 0
    }
    return sum.total == 0
  }
}
