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
    for row in 0..<rows {
      let x = x + row * width
      let y = y + row * width
      let rho = Lanes(repeating: inverseDeviation[row])
      let offset = Lanes(repeating: -mean[row] * inverseDeviation[row])
      forEachLanes(width) { index, n in
        if n == 16 {
          let normal = offset.addingProduct(x.lanes(index), rho)
          y.store(shift.lanes(index).addingProduct(normal, scale.lanes(index)), index)
        } else {
          let normal = offset.addingProduct(x.lanes(index, first: n), rho)
          let value = shift.lanes(index, first: n)
            .addingProduct(normal, scale.lanes(index, first: n))
          y.store(value, index, first: n)
        }
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
    for row in 0..<rows {
      let x = x + row * width
      let dy = dy + row * width
      let dx = dx + row * width
      let rho = Lanes(repeating: inverseDeviation[row])
      let offset = Lanes(repeating: -mean[row] * inverseDeviation[row])
      let (sumG, sumGX) = moments(x, dy, scale, width, rho, offset)
      let a = Lanes(repeating: -sumG / Float(width))
      let b = Lanes(repeating: -sumGX / Float(width))
      forEachLanes(width) { index, n in
        if n == 16 {
          let normal = offset.addingProduct(x.lanes(index), rho)
          let g = dy.lanes(index)
          let value = (a + g * scale.lanes(index)).addingProduct(normal, b) * rho
          dx.store(adding ? dx.lanes(index) + value : value, index)
          if let scaleGradient, let shiftGradient {
            scaleGradient.store(scaleGradient.lanes(index).addingProduct(g, normal), index)
            shiftGradient.store(shiftGradient.lanes(index) + g, index)
          }
        } else {
          let normal = offset.addingProduct(x.lanes(index, first: n), rho)
          let g = dy.lanes(index, first: n)
          let value = (a + g * scale.lanes(index, first: n)).addingProduct(normal, b) * rho
          dx.store(adding ? dx.lanes(index, first: n) + value : value, index, first: n)
          if let scaleGradient, let shiftGradient {
            let old = scaleGradient.lanes(index, first: n)
            scaleGradient.store(old.addingProduct(g, normal), index, first: n)
            shiftGradient.store(shiftGradient.lanes(index, first: n) + g, index, first: n)
          }
        }
      }
    }
  }

  /// Σ g and Σ g x̂ of one row.
  @inline(__always) private static func moments(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ scale: UnsafePointer<Float>,
    _ width: Int, _ rho: Lanes, _ offset: Lanes
  ) -> (Float, Float) {
    var plain = Lanes.zero
    var weighted = Lanes.zero
    forEachLanes(width) { index, n in
      if n == 16 {
        let g = dy.lanes(index) * scale.lanes(index)
        plain += g
        weighted = weighted.addingProduct(g, offset.addingProduct(x.lanes(index), rho))
      } else {
        let g = dy.lanes(index, first: n) * scale.lanes(index, first: n)
        plain += g
        weighted = weighted.addingProduct(g, offset.addingProduct(x.lanes(index, first: n), rho))
      }
    }
    return (plain.total, weighted.total)
  }

  @inline(__always) private static func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var sum = Lanes.zero
    forEachLanes(count) { index, n in
      sum += n == 16 ? x.lanes(index) : x.lanes(index, first: n)
    }
    return sum.total
  }

  @inline(__always) private static func sumOfSquares(
    _ x: UnsafePointer<Float>, minus mean: Float, _ count: Int
  ) -> Float {
    var sum = Lanes.zero
    let mu = Lanes(repeating: mean)
    forEachLanes(count) { index, n in
      let d = (n == 16 ? x.lanes(index) : x.lanes(index, first: n, filler: mean)) - mu
      sum = sum.addingProduct(d, d)
    }
    return sum.total
  }
}
