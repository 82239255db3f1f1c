import Foundation
import Tensors
import Testing

@Suite struct LayerNormalizationTests {
  private let pool = BufferPool()
  private let rows = 5
  private let epsilon: Float = 1e-3

  /// Mean and 1/σ of every row.
  private func statistics(_ x: [Float], width: Int) -> [(mean: Double, inverse: Double)] {
    (0..<rows).map { row in
      let values = x[row * width..<(row + 1) * width].map { Double($0) }
      let mean = values.reduce(0, +) / Double(width)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      return (mean, 1 / (variance + Double(epsilon)).squareRoot())
    }
  }

  /// Normalised values stay below √width = 14, whose last bit is 1e-6; x / σ and μ / σ, below 32 at
  /// σ ≥ √ε, cancel: 4e-6 in all.
  @Test(arguments: raggedWidths) func forwardAgreesWithDoublePrecision(width: Int) {
    let x = Samples(rows * width, seed: 1, from: pool)
    let gamma = Samples(width, seed: 2, from: pool)
    let beta = Samples(width, seed: 3, from: pool)
    let y = Samples(rows * width, seed: 4, from: pool)
    let kept = Samples(2 * rows, seed: 5, from: pool)
    LayerNormalization.forward(
      x.pointer, rows: rows, width: width, epsilon: epsilon, scale: gamma.pointer,
      shift: beta.pointer, into: y.pointer, mean: kept.pointer,
      inverseDeviation: kept.pointer + rows)
    let exact = statistics(x.values, width: width)
    let expected = x.values.enumerated().map { i, value in
      let (mean, inverse) = exact[i / width]
      return (Double(value) - mean) * inverse * Double(gamma.values[i % width])
        + Double(beta.values[i % width])
    }
    #expect(worst(y.values, expected) < 4e-6)
    #expect(y.isGuardIntact && kept.isGuardIntact)

    let again = Samples(rows * width, seed: 6, from: pool)
    LayerNormalization.normalize(
      x.pointer, rows: rows, width: width, scale: gamma.pointer, shift: beta.pointer,
      into: again.pointer, mean: kept.pointer, inverseDeviation: kept.pointer + rows)
    #expect(again.values == y.values, "what is made again differs from what was used")
  }

  /// As forward, times 1/σ ≤ 32 for the input gradient; the parameters' sums run over five rows.
  @Test(arguments: raggedWidths, [false, true])
  func backwardAgreesWithDoublePrecision(width: Int, adding: Bool) {
    let x = Samples(rows * width, seed: 1, from: pool)
    let dy = Samples(rows * width, seed: 2, from: pool)
    let gamma = Samples(width, seed: 3, from: pool)
    let dx = Samples(rows * width, seed: 4, from: pool)
    let (dGamma, dBeta) = (Samples(width, seed: 5, from: pool), Samples(width, seed: 6, from: pool))
    let before = (dx.values, dGamma.values, dBeta.values)
    let exact = statistics(x.values, width: width)
    let (mean, inverse) = (
      Tensor([rows], exact.map { Float($0.mean) }, from: pool),
      Tensor([rows], exact.map { Float($0.inverse) }, from: pool)
    )
    LayerNormalization.backward(
      x.pointer, gradient: dy.pointer, rows: rows, width: width, scale: gamma.pointer,
      mean: mean.pointer, inverseDeviation: inverse.pointer, into: dx.pointer, adding: adding,
      scaleGradient: dGamma.pointer, shiftGradient: dBeta.pointer)

    var expected = adding ? before.0.map { Double($0) } : Array(repeating: 0, count: rows * width)
    var scaleSums = before.1.map { Double($0) }
    var shiftSums = before.2.map { Double($0) }
    for row in 0..<rows {
      let place = row * width
      let normal = (0..<width).map {
        (Double(x.values[place + $0]) - exact[row].mean) * exact[row].inverse
      }
      let g = (0..<width).map { Double(dy.values[place + $0]) * Double(gamma.values[$0]) }
      let a = g.reduce(0, +) / Double(width)
      let b = zip(g, normal).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
      for i in 0..<width {
        expected[place + i] += exact[row].inverse * (g[i] - a - normal[i] * b)
        scaleSums[i] += Double(dy.values[place + i]) * normal[i]
        shiftSums[i] += Double(dy.values[place + i])
      }
    }
    // One element: g and its mean cancel to rounding, times 1/σ = 32.
    #expect(worst(dx.values, expected) < 2e-5)
    #expect(worst(dGamma.values, scaleSums) < 1e-5)
    #expect(worst(dBeta.values, shiftSums) < 2e-6)
    #expect(dx.isGuardIntact && dGamma.isGuardIntact && dBeta.isGuardIntact)
  }

  @Test(arguments: raggedWidths) func aNaNTakesItsWholeRow(width: Int) {
    let x = Samples(rows * width, seed: 1, from: pool)
    x.pointer[2 * width - 1] = .nan
    let ones = Tensor([width], Array(repeating: 1, count: width), from: pool)
    let y = Samples(rows * width, seed: 4, from: pool)
    let kept = Samples(2 * rows, seed: 5, from: pool)
    LayerNormalization.forward(
      x.pointer, rows: rows, width: width, epsilon: epsilon, scale: ones.pointer,
      shift: ones.pointer, into: y.pointer, mean: kept.pointer,
      inverseDeviation: kept.pointer + rows)
    for (i, value) in y.values.enumerated() { #expect(value.isNaN == (i / width == 1)) }
  }
}
