import Tensors
import Testing

/// Steps, projections and norms of perturbations against their definitions, element by element.
@Suite struct PerturbationTests {
  private let pool = BufferPool()

  /// Clean images in 0...1, points within ±0.5 of them, and directions with zeros and NaN among them.
  private func samples(_ count: Int) -> (clean: Samples, x: Samples, direction: Samples) {
    let clean = Samples(count, seed: 1, from: pool)
    let x = Samples(count, seed: 2, scale: 0.5, from: pool)
    let direction = Samples(count, seed: 3, from: pool)
    for i in 0..<count {
      clean.pointer[i] = abs(clean.pointer[i])
      x.pointer[i] += clean.pointer[i]
      if i % 5 == 2 { direction.pointer[i] = 0 }
      if i % 11 == 7 { direction.pointer[i] = .nan }
    }
    return (clean, x, direction)
  }

  private func clamp(_ value: Float, _ low: Float, _ high: Float) -> Float {
    min(max(value, low), high)
  }

  @Test(arguments: raggedWidths) func aStepOfSignsEndsInTheBox(count: Int) {
    let (clean, x, direction) = samples(count)
    let expected = (0..<count).map { i in
      let d = direction.pointer[i]
      let moved = x.pointer[i] + (d > 0 ? 0.1 : d < 0 ? -0.1 : 0)
      let c = clean.pointer[i]
      return clamp(moved, max(0, c - 0.25), min(1, c + 0.25))
    }
    Perturbations.signStep(
      x.pointer, along: direction.pointer, by: 0.1, around: clean.pointer, epsilon: 0.25,
      count: count)
    #expect(x.values == expected && x.isGuardIntact)
  }

  @Test(arguments: raggedWidths) func boxesAndBallsAreProjectedOnto(count: Int) {
    let (clean, x, _) = samples(count)
    let before = x.values
    let boxed = (0..<count).map {
      clamp(before[$0], max(0, clean.pointer[$0] - 0.25), min(1, clean.pointer[$0] + 0.25))
    }
    Perturbations.clampToBox(x.pointer, around: clean.pointer, epsilon: 0.25, count: count)
    #expect(x.values == boxed && x.isGuardIntact)

    x.pointer.update(from: before, count: count)
    let scaled = (0..<count).map { i -> Double in
      let c = Double(clean.pointer[i])
      return min(max(c + 0.5 * (Double(before[i]) - c), 0), 1)
    }
    Perturbations.rescale(x.pointer, around: clean.pointer, by: 0.5, count: count)
    #expect(worst(x.values, scaled) < 2e-7 && x.isGuardIntact)

    x.pointer.update(from: before, count: count)
    Perturbations.clipToPixels(x.pointer, count: count)
    #expect(x.values == before.map { clamp($0, 0, 1) } && x.isGuardIntact)
  }

  @Test(arguments: raggedWidths + [255, 257, 3072]) func normsAreSums(count: Int) {
    let (clean, x, _) = samples(count)
    let differences = (0..<count).map { Double(x.pointer[$0] - clean.pointer[$0]) }
    func check(_ found: Double, _ terms: [Double]) {
      let sum = terms.reduce(0, +)
      #expect(abs(found - sum) <= 1e-6 * sum, "\(found) against \(sum)")
    }
    check(
      Perturbations.sumOfSquares(x.pointer, minus: clean.pointer, count: count),
      differences.map { $0 * $0 })
    check(
      Perturbations.sumOfSquares(x.pointer, count: count), x.values.map { Double($0 * $0) })
    check(
      Perturbations.sumOfMagnitudes(x.pointer, count: count), x.values.map { Double(abs($0)) })
    let largest = Perturbations.largestChange(x.pointer, from: clean.pointer, count: count)
    #expect(Double(largest) == differences.map(abs).max())
    let range = Perturbations.range(x.pointer, count: count)
    #expect(range.low == x.values.min() && range.high == x.values.max())
  }

  @Test(arguments: raggedWidths) func momentumAccumulates(count: Int) {
    let gradient = Samples(count, seed: 4, from: pool)
    if count > 3 { gradient.pointer[3] = 0 }
    let memory = Samples(count, seed: 5, from: pool)
    let before = memory.values
    Perturbations.accumulate(
      gradient.pointer, times: 2, into: memory.pointer, decay: 0.5, count: count)
    let expected = zip(before, gradient.values).map { 0.5 * Double($0) + 2 * Double($1) }
    #expect(worst(memory.values, expected) < 3e-7 && memory.isGuardIntact)

    memory.pointer.update(from: before, count: count)
    Perturbations.accumulateSigns(
      gradient.pointer, into: memory.pointer, decay: 0.5, count: count)
    let signs = zip(before, gradient.values).map {
      0.5 * Double($0) + ($1 > 0 ? 1 : $1 < 0 ? -1 : 0)
    }
    #expect(worst(memory.values, signs) < 2e-7 && memory.isGuardIntact)
  }
}
