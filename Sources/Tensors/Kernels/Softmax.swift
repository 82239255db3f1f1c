/// Softmax over rows, with a factor on the scores folded into the exponent.
public enum Softmax {
  /// Each row of `scores` becomes softmax(factor · row), in place; `factor` > 0. A row with a NaN
  /// becomes all NaN.
  public static func forward(
    _ scores: UnsafeMutablePointer<Float>, rows: Int, width: Int, factor: Float
  ) {
    let whole = width & ~15
    let rest = width - whole
    let scale = Lanes(repeating: factor)
    var x = scores
    for _ in 0..<rows {
      let shift = Lanes(repeating: -factor * greatest(x, width))
      var sum = Lanes.zero
      var index = 0
      while index < whole {
        let e = VectorMath.exp(shift.addingProduct(x.lanes(index), scale))
        x.store(e, index)
        sum += e
        index += 16
      }
      // The tail is held back: a load so soon after its narrow stores would wait for them.
      var tail = Lanes.zero
      if rest > 0 {
        tail = VectorMath.exp(shift.addingProduct(x.lanes(index, first: rest), scale)).first(rest)
        sum += tail
      }
      let inverse = Lanes(repeating: 1 / sum.total)
      index = 0
      while index < whole {
        x.store(x.lanes(index) * inverse, index)
        index += 16
      }
      if rest > 0 { x.store(tail * inverse, index, first: rest) }
      x += width
    }
  }

  /// dS = factor · P ∘ (dP - Σ P ∘ dP), in place of dP.
  public static func backward(
    _ probabilities: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    rows: Int, width: Int, factor: Float
  ) {
    let whole = width & ~15
    let rest = width - whole
    let scale = Lanes(repeating: factor)
    var (p, g) = (probabilities, gradient)
    for _ in 0..<rows {
      var dot = Lanes.zero
      var index = 0
      while index < whole {
        dot.addProduct(p.lanes(index), g.lanes(index))
        index += 16
      }
      if rest > 0 { dot.addProduct(p.lanes(index, first: rest), g.lanes(index, first: rest)) }
      let mean = Lanes(repeating: dot.total)
      index = 0
      while index < whole {
        g.store((g.lanes(index) - mean) * p.lanes(index) * scale, index)
        index += 16
      }
      if rest > 0 {
        let value = (g.lanes(index, first: rest) - mean) * p.lanes(index, first: rest) * scale
        g.store(value, index, first: rest)
      }
      p += width
      g += width
    }
  }

  /// The greatest of so many numbers; NaN are passed over.
  @inline(__always) static func greatest(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var result = Lanes(repeating: -.infinity)
    var other = result
    let (pairs, whole) = (count & ~31, count & ~15)
    var index = 0
    while index < pairs {
      result = result.greater(of: x.lanes(index))
      other = other.greater(of: x.lanes(index + 16))
      index += 32
    }
    result = result.greater(of: other)
    if index < whole {
      result = result.greater(of: x.lanes(index))
      index += 16
    }
    if whole < count {
      result = result.greater(of: x.lanes(index, first: count - whole, filler: -.infinity))
    }
    return result.greatest
  }
}
