/// The Gaussian error linear unit, x Φ(x) (Hendrycks and Gimpel, 2016).
public enum Gelu: String, Codable, Sendable, CaseIterable {
  /// The exact form, timm's and DeiT's.
  case erf
  /// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), the JAX default; differs by at most 4.73e-4.
  case tanh

  /// y ← gelu(x)
  public func forward(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    switch self {
    case .erf: map(x, y, count) { $0 * VectorMath.normalDistribution($0).phi }
    case .tanh: map(x, y, count) { Self.tanhForm($0).value }
    }
  }

  /// dx ← dy · gelu'(x); `dx` may be `dy`.
  public func backward(
    _ x: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch self {
    case .erf:
      zip(x, dy, dx, count) { x, dy in
        let (phi, bell) = VectorMath.normalDistribution(x)
        return dy * phi.addingProduct(x * bell, Lanes(repeating: 0.398_942_28))  // 1 / √(2π)
      }
    case .tanh: zip(x, dy, dx, count) { x, dy in dy * Self.tanhForm(x).slope }
    }
  }

  @inline(__always) private static func tanhForm(_ x: Lanes) -> (value: Lanes, slope: Lanes) {
    let c = Lanes(repeating: 0.797_884_56)  // √(2/π)
    let square = x * x
    let t = VectorMath.tanh(
      c * x * Lanes(repeating: 1).addingProduct(square, Lanes(repeating: 0.044_715)))
    let inner = c * Lanes(repeating: 1).addingProduct(square, Lanes(repeating: 0.134_145))
    return (0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)
  }

  @inline(__always) private func map(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
    _ function: (Lanes) -> Lanes
  ) {
    let whole = count & ~15
    var index = 0
    while index < whole {
      y.store(function(x.lanes(index)), index)
      index += 16
    }
    let rest = count - whole
    if rest > 0 { y.store(function(x.lanes(whole, first: rest)), whole, first: rest) }
  }

  @inline(__always) private func zip(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    _ count: Int, _ function: (Lanes, Lanes) -> Lanes
  ) {
    let whole = count & ~15
    var index = 0
    while index < whole {
      dx.store(function(x.lanes(index), dy.lanes(index)), index)
      index += 16
    }
    let rest = count - whole
    if rest > 0 {
      let value = function(x.lanes(whole, first: rest), dy.lanes(whole, first: rest))
      dx.store(value, whole, first: rest)
    }
  }
}
