/// Layer normalisation over rows of `width` (Ba et al., 2016): y = γ (x - μ) / σ + β, with the biased
/// variance and ε inside the root.
public enum LayerNormalization {
  /// Writes y and, per row, the mean and 1/σ.
  public static func forward(
    _ x: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Float,
    scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    mean: UnsafeMutablePointer<Float>, inverseDeviation: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      let x = x + row * width
      let mu = sum(x, width) / Float(width)
      let variance = sumOfSquares(x, minus: mu, width) / Float(width)
      mean[row] = mu
      inverseDeviation[row] = 1 / (variance + epsilon).squareRoot()
    }
    normalize(
      x, rows: rows, width: width, scale: scale, shift: shift, into: y, mean: mean,
      inverseDeviation: inverseDeviation)
  }

  /// y from statistics already known: the forward's second half, and how the backward pass makes y
  /// again instead of keeping it.
  public static func normalize(
    _ x: UnsafePointer<Float>, rows: Int, width: Int,
    scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>
  ) {
    let whole = width & ~15
    let rest = width - whole
    for row in 0..<rows {
      let x = x + row * width
      let y = y + row * width
      let rho = Lanes(repeating: inverseDeviation[row])
      let offset = Lanes(repeating: -mean[row] * inverseDeviation[row])
      var index = 0
      while index < whole {
        let normal = offset.addingProduct(x.lanes(index), rho)
        y.store(shift.lanes(index).addingProduct(normal, scale.lanes(index)), index)
        index += 16
      }
      if rest > 0 {
        let normal = offset.addingProduct(x.lanes(index, first: rest), rho)
        let value = shift.lanes(index, first: rest)
          .addingProduct(normal, scale.lanes(index, first: rest))
        y.store(value, index, first: rest)
      }
    }
  }

  /// dx = 1/σ (g - mean(g) - x̂ mean(g x̂)) with g = γ dy, written or added; dγ += Σ dy x̂, dβ += Σ dy
  /// unless their pointers are nil.
  public static func backward(
    _ x: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>, rows: Int, width: Int,
    scale: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    inverseDeviation: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, adding: Bool,
    scaleGradient: UnsafeMutablePointer<Float>?, shiftGradient: UnsafeMutablePointer<Float>?
  ) {
    let whole = width & ~15
    let rest = width - whole
    for row in 0..<rows {
      let x = x + row * width
      let dy = dy + row * width
      let dx = dx + row * width
      let rho = Lanes(repeating: inverseDeviation[row])
      let offset = Lanes(repeating: -mean[row] * inverseDeviation[row])
      let (sumG, sumGX) = moments(x, dy, scale, width, rho, offset)
      let a = Lanes(repeating: -sumG / Float(width))
      let b = Lanes(repeating: -sumGX / Float(width))
      var index = 0
      while index < whole {
        let normal = offset.addingProduct(x.lanes(index), rho)
        let g = dy.lanes(index)
        let value = (a + g * scale.lanes(index)).addingProduct(normal, b) * rho
        dx.store(adding ? dx.lanes(index) + value : value, index)
        if let scaleGradient, let shiftGradient {
          scaleGradient.store(scaleGradient.lanes(index).addingProduct(g, normal), index)
          shiftGradient.store(shiftGradient.lanes(index) + g, index)
        }
        index += 16
      }
      if rest > 0 {
        let normal = offset.addingProduct(x.lanes(index, first: rest), rho)
        let g = dy.lanes(index, first: rest)
        let value = (a + g * scale.lanes(index, first: rest)).addingProduct(normal, b) * rho
        dx.store(adding ? dx.lanes(index, first: rest) + value : value, index, first: rest)
        if let scaleGradient, let shiftGradient {
          let old = scaleGradient.lanes(index, first: rest)
          scaleGradient.store(old.addingProduct(g, normal), index, first: rest)
          shiftGradient.store(shiftGradient.lanes(index, first: rest) + g, index, first: rest)
        }
      }
    }
  }

  /// Σ g and Σ g x̂ of one row.
  @inline(__always) private static func moments(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ scale: UnsafePointer<Float>,
    _ width: Int, _ rho: Lanes, _ offset: Lanes
  ) -> (Float, Float) {
    let whole = width & ~15
    var (plain, weighted) = (Lanes.zero, Lanes.zero)
    var index = 0
    while index < whole {
      let g = dy.lanes(index) * scale.lanes(index)
      plain += g
      weighted.addProduct(g, offset.addingProduct(x.lanes(index), rho))
      index += 16
    }
    let rest = width - whole
    if rest > 0 {
      let g = dy.lanes(index, first: rest) * scale.lanes(index, first: rest)
      plain += g
      weighted.addProduct(g, offset.addingProduct(x.lanes(index, first: rest), rho))
    }
    return (plain.total, weighted.total)
  }

  /// Two sums side by side: one addition would wait for the one before it.
  @inline(__always) private static func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    let (pairs, whole) = (count & ~31, count & ~15)
    var (even, odd) = (Lanes.zero, Lanes.zero)
    var index = 0
    while index < pairs {
      even += x.lanes(index)
      odd += x.lanes(index + 16)
      index += 32
    }
    if index < whole {
      even += x.lanes(index)
      index += 16
    }
    if index < count { odd += x.lanes(index, first: count - index) }
    return (even + odd).total
  }

  @inline(__always) private static func sumOfSquares(
    _ x: UnsafePointer<Float>, minus mean: Float, _ count: Int
  ) -> Float {
    let (pairs, whole) = (count & ~31, count & ~15)
    let mu = Lanes(repeating: mean)
    var (even, odd) = (Lanes.zero, Lanes.zero)
    var index = 0
    while index < pairs {
      let (a, b) = (x.lanes(index) - mu, x.lanes(index + 16) - mu)
      even.addProduct(a, a)
      odd.addProduct(b, b)
      index += 32
    }
    if index < whole {
      let a = x.lanes(index) - mu
      even.addProduct(a, a)
      index += 16
    }
    if index < count {
      let b = x.lanes(index, first: count - index, filler: mean) - mu
      odd.addProduct(b, b)
    }
    return (even + odd).total
  }
}
