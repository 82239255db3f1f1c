/// Attention scores times a mask: scale = factor · σ(Φ) multiplies Q Kᵀ before the softmax.
public enum ScoreMask {
  /// scores ← scores ∘ scale
  public static func multiply(
    _ scores: UnsafeMutablePointer<Float>, by scale: UnsafePointer<Float>, count: Int
  ) {
    forEachLanes(count) { i, n in
      scores.store(scores.part(i, n) * scale.part(i, n), i, first: n)
    }
  }

  /// dΦ ← dΦ + dA ∘ scores ∘ factor σ (1 - σ), where factor σ is `scale`.
  public static func addGradient(
    _ dA: UnsafePointer<Float>, scores: UnsafePointer<Float>, scale: UnsafePointer<Float>,
    factor: Float, count: Int, to dMask: UnsafeMutablePointer<Float>
  ) {
    let inverse = Lanes(repeating: 1 / factor)
    forEachLanes(count) { i, n in
      let s = scale.part(i, n)
      let slope = s * (1 - s * inverse)
      let value = dMask.part(i, n).addingProduct(dA.part(i, n) * scores.part(i, n), slope)
      dMask.store(value, i, first: n)
    }
  }
}
