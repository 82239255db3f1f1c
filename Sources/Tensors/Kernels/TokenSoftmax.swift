/// Softmax down the columns of `[tokens, width]`: every channel is a distribution over tokens.
public enum TokenSoftmax {
  public static func forward(
    _ x: UnsafePointer<Float>, tokens: Int, width: Int, into y: UnsafeMutablePointer<Float>
  ) {
    forEachLanes(width) { i, n in
      var greatest = Lanes(repeating: -.infinity)
      for token in 0..<tokens { greatest = greatest.greater(of: x.part(token * width + i, n)) }
      var sum = Lanes.zero
      for token in 0..<tokens {
        let place = token * width + i
        let e = VectorMath.exp(x.part(place, n) - greatest)
        y.store(e, place, first: n)
        sum += e
      }
      let inverse = 1 / sum
      for token in 0..<tokens {
        let place = token * width + i
        y.store(y.part(place, n) * inverse, place, first: n)
      }
    }
  }

  /// dx ← y ∘ (dy - Σ over tokens of y ∘ dy), or dx plus that; `dx` may be `dy` if not adding.
  public static func backward(
    _ y: UnsafePointer<Float>, gradient dy: UnsafePointer<Float>, tokens: Int, width: Int,
    into dx: UnsafeMutablePointer<Float>, adding: Bool
  ) {
    forEachLanes(width) { i, n in
      var dot = Lanes.zero
      for token in 0..<tokens {
        let place = token * width + i
        dot.addProduct(y.part(place, n), dy.part(place, n))
      }
      for token in 0..<tokens {
        let place = token * width + i
        var value = y.part(place, n) * (dy.part(place, n) - dot)
        if adding { value += dx.part(place, n) }
        dx.store(value, place, first: n)
      }
    }
  }
}
