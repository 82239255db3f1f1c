/// The Gaussian error linear unit, x Φ(x) (Hendrycks and Gimpel, 2016).
public enum Gelu: String, Codable, Sendable, CaseIterable {
  /// The exact form, timm's and DeiT's.
  case erf
  /// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), the JAX default; differs by at most 4.73e-4.
  case tanh

  /// y ← gelu(x); `y` may be `x`. Worst absolute error measured on |x| ≤ 8:
  /// 3.84e-7 (erf), 4.33e-7 (tanh).
  public func forward(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    switch self {
    case .erf: ErfForm.map(x, y, count)
    case .tanh: TanhForm.map(x, y, count)
    }
  }

  /// dx ← dy · gelu'(x); `dx` may be `dy`. Worst absolute error of the factor: 1.9e-7 (erf),
  /// 2.2e-6 (tanh, where 1 - tanh² cancels).
  public func backward(
    _ x: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch self {
    case .erf: ErfForm.multiplySlopes(x, dy, dx, count)
    case .tanh: TanhForm.multiplySlopes(x, dy, dx, count)
    }
  }
}

/// A function of sixteen lanes and its derivative. Static members instead of closures: a closure of
/// this size is not inlined, and a call for every vector costs as much as the function.
package protocol LaneFunction {
  static func value(_ x: SIMD16<Float>) -> SIMD16<Float>
  static func slope(_ x: SIMD16<Float>) -> SIMD16<Float>
}

enum ErfForm: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes {
    x * VectorMath.normalDistribution(x).phi
  }

  @inline(__always) static func slope(_ x: Lanes) -> Lanes {
    let (phi, bell) = VectorMath.normalDistribution(x)
    return phi.addingProduct(x * bell, Lanes(repeating: 0.398_942_28))  // 1 / √(2π)
  }
}

enum TanhForm: LaneFunction {
  @inline(__always) static func value(_ x: Lanes) -> Lanes { 0.5 * x * (1 + tangent(x)) }

  @inline(__always) static func slope(_ x: Lanes) -> Lanes {
    let t = tangent(x)
    let inner = factor * Lanes(repeating: 1).addingProduct(x * x, Lanes(repeating: 0.134_145))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner
  }

  @inline(__always) private static var factor: Lanes { Lanes(repeating: 0.797_884_56) }  // √(2/π)

  @inline(__always) private static func tangent(_ x: Lanes) -> Lanes {
    VectorMath.tanh(
      factor * x * Lanes(repeating: 1).addingProduct(x * x, Lanes(repeating: 0.044_715)))
  }
}

extension LaneFunction {
  @inline(__always) static func map(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let whole = count & ~15
    var index = 0
    while index < whole {
      y.store(value(x.lanes(index)), index)
      index += 16
    }
    let rest = count - whole
    if rest > 0 { y.store(value(x.lanes(index, first: rest)), index, first: rest) }
  }

  @inline(__always) static func multiplySlopes(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    _ count: Int
  ) {
    let whole = count & ~15
    var index = 0
    while index < whole {
      dx.store(dy.lanes(index) * slope(x.lanes(index)), index)
      index += 16
    }
    let rest = count - whole
    if rest > 0 {
      let value = dy.lanes(index, first: rest) * slope(x.lanes(index, first: rest))
      dx.store(value, index, first: rest)
    }
  }
}
