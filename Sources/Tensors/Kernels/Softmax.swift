/// Softmax over rows, with a factor on the scores folded into the exponent.
public enum Softmax {
  /// Each row of `scores` becomes softmax(factor · row), in place; `factor` > 0. A row with a NaN
  /// becomes all NaN.
  public static func forward(
    _ scores: UnsafeMutablePointer<Float>, rows: Int, width: Int, factor: Float
  ) {
    for row in 0..<rows {
      let x = scores + row * width
      let shift = Lanes(repeating: -factor * greatest(x, width))
      let scale = Lanes(repeating: factor)
      var sum = Lanes.zero
      forEachLanes(width) { index, n in
        if n == 16 {
          let e = VectorMath.exp(shift.addingProduct(x.lanes(index), scale))
          x.store(e, index)
          sum += e
        } else {
          let e = VectorMath.exp(shift.addingProduct(x.lanes(index, first: n), scale))
          x.store(e, index, first: n)
          sum += x.lanes(index, first: n)
        }
      }
      let inverse = Lanes(repeating: 1 / sum.total)
      forEachLanes(width) { index, n in
        if n == 16 {
          x.store(x.lanes(index) * inverse, index)
        } else {
          x.store(x.lanes(index, first: n) * inverse, index, first: n)
        }
      }
    }
  }

  /// dS = factor · P ∘ (dP - Σ P ∘ dP), in place of dP.
  public static func backward(
    _ probabilities: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    rows: Int, width: Int, factor: Float
  ) {
    let scale = Lanes(repeating: factor)
    for row in 0..<rows {
      let p = probabilities + row * width
      let g = gradient + row * width
      var dot = Lanes.zero
      forEachLanes(width) { index, n in
        dot =
          n == 16
          ? dot.addingProduct(p.lanes(index), g.lanes(index))
          : dot.addingProduct(p.lanes(index, first: n), g.lanes(index, first: n))
      }
      let mean = Lanes(repeating: dot.total)
      forEachLanes(width) { index, n in
        if n == 16 {
          g.store((g.lanes(index) - mean) * p.lanes(index) * scale, index)
        } else {
          let value = (g.lanes(index, first: n) - mean) * p.lanes(index, first: n) * scale
          g.store(value, index, first: n)
        }
      }
    }
  }

  @inline(__always) private static func greatest(
    _ x: UnsafePointer<Float>, _ count: Int
  ) -> Float {
    var result = Lanes(repeating: -.infinity)
    forEachLanes(count) { index, n in
      result = result.greater(
        of: n == 16 ? x.lanes(index) : x.lanes(index, first: n, filler: -.infinity))
    }
    return result.greatest
  }
}
