/// Rows times a factor for every column.
public enum ChannelScaling {
  /// y ← factor ∘ x, or residual + factor ∘ x; `y` may be `x`.
  public static func forward(
    _ x: UnsafePointer<Float>, rows: Int, width: Int, factor: UnsafePointer<Float>,
    addedTo residual: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      let start = row * width
      forEachLanes(width) { i, n in
        let product = (x + start).part(i, n) * factor.part(i, n)
        let value = residual.map { ($0 + start).part(i, n) + product } ?? product
        (y + start).store(value, i, first: n)
      }
    }
  }

  /// dx ← factor ∘ dy, or dx plus that.
  public static func backward(
    _ dy: UnsafePointer<Float>, rows: Int, width: Int, factor: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, adding: Bool
  ) {
    forward(
      dy, rows: rows, width: width, factor: factor, addedTo: adding ? UnsafePointer(dx) : nil,
      into: dx)
  }
}

/// The logistic function, 1 / (1 + e^-x).
public enum Sigmoid {
  /// y ← σ(x); `y` may be `x`.
  public static func forward(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    forEachLanes(count) { i, n in
      let value = 1 / (1 + VectorMath.exp(-x.part(i, n)))
      y.store(value, i, first: n)
    }
  }
}

/// max(x, 0).
public enum Rectifier {
  /// y ← max(x, 0); a NaN stays one.
  public static func forward(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    forEachLanes(count) { i, n in
      let value = x.part(i, n)
      let clipped = value.replacing(with: 0, where: value .< 0)
      y.store(clipped, i, first: n)
    }
  }

  /// dx ← dy where y is positive, else 0; `dx` may be `dy`.
  public static func backward(
    _ y: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, count: Int
  ) {
    forEachLanes(count) { i, n in
      let passed = dy.part(i, n).replacing(with: 0, where: y.part(i, n) .<= 0)
      dx.store(passed, i, first: n)
    }
  }
}
