/// Passes over adversarial perturbations: steps, projections, norms. Rows of a batch lie end to end,
/// so a pass without a norm takes a whole batch at once.
public enum Perturbations {
  /// x ← clamp(x + step · sign(direction), max(0, clean - epsilon), min(1, clean + epsilon)): a step
  /// of an l∞ attack and its projection, three reads and one write. sign(0) and sign(NaN) are 0.
  public static func signStep(
    _ x: UnsafeMutablePointer<Float>, along direction: UnsafePointer<Float>, by step: Float,
    around clean: UnsafePointer<Float>, epsilon: Float, count: Int
  ) {
    let (ahead, back) = (Lanes(repeating: step), Lanes(repeating: -step))
    forEachLanes(count) { index, n in
      let isWhole = n == 16
      let d = isWhole ? direction.lanes(index) : direction.lanes(index, first: n)
      let c = isWhole ? clean.lanes(index) : clean.lanes(index, first: n)
      var y = isWhole ? x.lanes(index) : x.lanes(index, first: n)
      y += Lanes.zero.replacing(with: ahead, where: d .> 0).replacing(with: back, where: d .< 0)
      y = inBox(y, c, epsilon)
      if isWhole { x.store(y, index) } else { x.store(y, index, first: n) }
    }
  }

  /// x ← clamp(x, max(0, clean - epsilon), min(1, clean + epsilon))
  public static func clampToBox(
    _ x: UnsafeMutablePointer<Float>, around clean: UnsafePointer<Float>, epsilon: Float, count: Int
  ) {
    forEachLanes(count) { index, n in
      let isWhole = n == 16
      let c = isWhole ? clean.lanes(index) : clean.lanes(index, first: n)
      let y = inBox(isWhole ? x.lanes(index) : x.lanes(index, first: n), c, epsilon)
      if isWhole { x.store(y, index) } else { x.store(y, index, first: n) }
    }
  }

  /// x ← clamp(x, 0, 1)
  public static func clipToPixels(_ x: UnsafeMutablePointer<Float>, count: Int) {
    let one = Lanes(repeating: 1)
    forEachLanes(count) { index, n in
      if n == 16 {
        x.store(clamped(x.lanes(index), Lanes.zero, one), index)
      } else {
        x.store(clamped(x.lanes(index, first: n), Lanes.zero, one), index, first: n)
      }
    }
  }

  /// x ← clamp(clean + factor · (x - clean), 0, 1)
  public static func rescale(
    _ x: UnsafeMutablePointer<Float>, around clean: UnsafePointer<Float>, by factor: Float,
    count: Int
  ) {
    let factor = Lanes(repeating: factor)
    forEachLanes(count) { index, n in
      let isWhole = n == 16
      let c = isWhole ? clean.lanes(index) : clean.lanes(index, first: n)
      let delta = (isWhole ? x.lanes(index) : x.lanes(index, first: n)) - c
      let y = clamped(c.addingProduct(delta, factor), .zero, Lanes(repeating: 1))
      if isWhole { x.store(y, index) } else { x.store(y, index, first: n) }
    }
  }

  /// m ← decay · m + factor · gradient
  public static func accumulate(
    _ gradient: UnsafePointer<Float>, times factor: Float, into m: UnsafeMutablePointer<Float>,
    decay: Float, count: Int
  ) {
    for i in 0..<count { m[i] = (decay * m[i]).addingProduct(factor, gradient[i]) }
  }

  /// m ← decay · m + sign(gradient)
  public static func accumulateSigns(
    _ gradient: UnsafePointer<Float>, into m: UnsafeMutablePointer<Float>, decay: Float, count: Int
  ) {
    for i in 0..<count {
      m[i] = decay * m[i] + (gradient[i] > 0 ? 1 : 0) - (gradient[i] < 0 ? 1 : 0)
    }
  }

  /// Σ x². Blocks of 256 are summed in lanes and added in double precision: a norm is known to a few
  /// units of the seventh digit however many pixels there are.
  public static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
    sum(count) { index, n in
      let v = n == 16 ? x.lanes(index) : x.lanes(index, first: n)
      return v * v
    }
  }

  /// Σ (x - clean)², summed likewise.
  public static func sumOfSquares(
    _ x: UnsafePointer<Float>, minus clean: UnsafePointer<Float>, count: Int
  ) -> Double {
    sum(count) { index, n in
      let v =
        n == 16
        ? x.lanes(index) - clean.lanes(index)
        : x.lanes(index, first: n) - clean.lanes(index, first: n)
      return v * v
    }
  }

  /// Σ |x|, summed likewise.
  public static func sumOfMagnitudes(_ x: UnsafePointer<Float>, count: Int) -> Double {
    sum(count) { index, n in
      let v = n == 16 ? x.lanes(index) : x.lanes(index, first: n)
      return v.replacing(with: -v, where: v .< 0)
    }
  }

  /// max |x - clean|; NaN are passed over.
  public static func largestChange(
    _ x: UnsafePointer<Float>, from clean: UnsafePointer<Float>, count: Int
  ) -> Float {
    var largest = Lanes.zero
    forEachLanes(count) { index, n in
      let d =
        n == 16
        ? x.lanes(index) - clean.lanes(index)
        : x.lanes(index, first: n) - clean.lanes(index, first: n)
      largest = largest.greater(of: d.replacing(with: -d, where: d .< 0))
    }
    return largest.greatest
  }

  /// The smallest and the greatest element; NaN are passed over.
  public static func range(_ x: UnsafePointer<Float>, count: Int) -> (low: Float, high: Float) {
    var high = Lanes(repeating: -.infinity)
    var negatedLow = high
    forEachLanes(count) { index, n in
      let v = n == 16 ? x.lanes(index) : x.lanes(index, first: n, filler: .nan)
      high = high.greater(of: v)
      negatedLow = negatedLow.greater(of: -v)
    }
    return (-negatedLow.greatest, high.greatest)
  }

  @inline(__always) private static func sum(
    _ count: Int, _ term: (_ index: Int, _ lanes: Int) -> Lanes
  ) -> Double {
    var total = 0.0
    var first = 0
    while first < count {
      let block = min(256, count - first)
      var lanes = Lanes.zero
      forEachLanes(block) { index, n in lanes += term(first + index, n) }
      total += Double(lanes.total)
      first += block
    }
    return total
  }

  @inline(__always) private static func inBox(_ y: Lanes, _ clean: Lanes, _ epsilon: Float) -> Lanes
  {
    let (low, high) = (clean - epsilon, clean + epsilon)
    let one = Lanes(repeating: 1)
    return clamped(
      y, low.replacing(with: Lanes.zero, where: low .< 0),
      high.replacing(with: one, where: high .> one))
  }

  @inline(__always) private static func clamped(_ y: Lanes, _ low: Lanes, _ high: Lanes) -> Lanes {
    y.replacing(with: low, where: y .< low).replacing(with: high, where: y .> high)
  }
}
