import Foundation
import Tensors
import Testing

@Suite struct SoftmaxTests {
  private let pool = BufferPool()
  private let rows = 5

  private func reference(_ x: [Float], width: Int, factor: Float) -> [Double] {
    stride(from: 0, to: x.count, by: width).flatMap { start in
      let row = x[start..<start + width].map { Double($0) * Double(factor) }
      let greatest = row.max()!
      let powers = row.map { exp($0 - greatest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
  }

  /// The argument of the exponential carries one rounding of a score of at most 8: 8 · 2⁻²⁴ = 5e-7
  /// relative; exponential, sum and division add 3e-7. Probabilities are at most 1.
  @Test(arguments: raggedWidths) func forwardAgreesWithDoublePrecision(width: Int) {
    let x = Samples(rows * width, seed: 1, scale: 20, from: pool)
    let expected = reference(x.values, width: width, factor: 0.4)
    Softmax.forward(x.pointer, rows: rows, width: width, factor: 0.4)
    #expect(worst(x.values, expected) < 1e-6)
    #expect(x.isGuardIntact)
    for row in 0..<rows {
      let sum = x.values[row * width..<(row + 1) * width].reduce(0.0) { $0 + Double($1) }
      #expect(abs(sum - 1) < 1e-6, "row \(row) sums to \(sum)")
    }
  }

  @Test(arguments: raggedWidths) func extremesNeitherOverflowNorVanish(width: Int) {
    let x = Samples(width, seed: 2, from: pool)
    for i in 0..<width { x.pointer[i] = i == width - 1 ? 3e38 : -3e38 }
    Softmax.forward(x.pointer, rows: 1, width: width, factor: 1)
    // The exponential is clamped at e^-87, so the others are 1.6e-38 and not 0.
    #expect(x.values.last == 1)
    #expect(x.values.dropLast().allSatisfy { $0 >= 0 && $0 < 2e-38 })
  }

  @Test(arguments: raggedWidths) func aNaNTakesItsWholeRowAndNoOther(width: Int) {
    for place in Set([0, width / 2, width - 1]) {
      let x = Samples(3 * width, seed: 3, from: pool)
      x.pointer[width + place] = .nan
      Softmax.forward(x.pointer, rows: 3, width: width, factor: 1)
      let isNaN = x.values.map(\.isNaN)
      #expect(isNaN[width..<2 * width].allSatisfy { $0 }, "NaN at \(place)")
      #expect(!isNaN[..<width].contains(true) && !isNaN[(2 * width)...].contains(true))
    }
  }

  /// Gradients of at most 1 meet probabilities of at most 1: a sum of `width` products and three
  /// roundings stay below 1e-6.
  @Test(arguments: raggedWidths) func backwardAgreesWithDoublePrecision(width: Int) {
    let p = Samples(rows * width, seed: 4, scale: 5, from: pool)
    Softmax.forward(p.pointer, rows: rows, width: width, factor: 1)
    let g = Samples(rows * width, seed: 5, from: pool)
    let (weights, given) = (p.values.map { Double($0) }, g.values.map { Double($0) })
    let expected = (0..<rows * width).map { i in
      let start = i / width * width
      let mean = (start..<start + width).reduce(0.0) { $0 + weights[$1] * given[$1] }
      return 0.4 * weights[i] * (given[i] - mean)
    }
    Softmax.backward(p.pointer, gradient: g.pointer, rows: rows, width: width, factor: 0.4)
    #expect(worst(g.values, expected) < 1e-6)
    #expect(g.isGuardIntact)
  }
}
