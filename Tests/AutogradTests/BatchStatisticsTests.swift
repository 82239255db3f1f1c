import Autograd
import Tensors
import TestSupport
import Testing

/// What batch normalisation collects for its running statistics, and when.
@Suite struct BatchStatisticsTests {
  private static let width = 5
  private let bench = Workbench {
    for name in ["g", "s"] { _ = $0.parameter(name, [Self.width], .constant(1)) }
    for name in ["m", "v"] {
      _ = $0.parameter(name, [Self.width], .constant(0.5), role: .statistic)
    }
  }

  /// The slab after one pass over four images of three rows.
  private func collected(
    weight: Float?, tracking: Bool = true, phase: Phase = .training, recomputes: Bool = false
  ) -> (mean: [Float], variance: [Float], order: [String]) {
    bench.gradients.elements.update(repeating: 0)
    let tape = Tape(
      tracking ? .parameters(gradients: bench.gradients.pointer) : .inputs, pool: bench.pool)
    var order: [String] = []
    tape.onParameterReady = { order.append($0.name) }
    var cx = bench.context(tape: tape, phase: phase)
    cx.statisticsWeight = weight
    let x = tape.watch(bench.random([4, 3, Self.width], seed: 1))
    let norm = batchNormParameters(cx)
    let y =
      recomputes
      ? cx.recompute(x) { $1.batchNorm($0, norm, epsilon: 1e-5) }
      : cx.batchNorm(x, norm, epsilon: 1e-5)
    tape.backward(from: y, seed: bench.random(y.shape, seed: 2))
    let slab = bench.gradients.array
    return (
      Array(slab[norm.runningMean.range]), Array(slab[norm.runningVariance.range]), order
    )
  }

  /// A quarter of a global batch of sixteen; the variance is divided by rows - 1.
  @Test(arguments: [false, true]) func aPassAddsItsShareOnce(_ recomputes: Bool) {
    let rows = 12
    let x = bench.random([4, 3, Self.width], seed: 1).array.map(Double.init)
    let (mean, variance, order) = collected(weight: 1 / 16, recomputes: recomputes)
    for c in 0..<Self.width {
      let column = (0..<rows).map { x[$0 * Self.width + c] }
      let middle = column.reduce(0, +) / Double(rows)
      let squares = column.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
      // Sums of twelve numbers in float.
      #expect(isClose(mean[c], Float(middle / 4), absolute: 1e-7))
      #expect(isClose(variance[c], Float(squares / Double(rows - 1) / 4), absolute: 1e-6))
    }
    #expect(Set(order) == ["g", "s", "m", "v"], "every parameter is ready: \(order)")
    #expect(order.count == 4)
  }

  @Test func nothingIsCollectedUnasked() {
    let zeros = [Float](repeating: 0, count: Self.width)
    for pass in [
      collected(weight: nil), collected(weight: 1, tracking: false),
      collected(weight: 1, phase: .evaluation),
    ] { #expect(pass.mean == zeros && pass.variance == zeros) }
  }

  /// Mean 0.5 and variance 0.5, whatever the batch.
  @Test func evaluationUsesTheRunningValues() {
    let cx = bench.context(tape: nil, phase: .evaluation)
    let x = bench.random([1, 2, Self.width], seed: 1)
    let y = cx.batchNorm(Variable(x), batchNormParameters(cx), epsilon: 1e-5).tensor.array
    for (a, b) in zip(x.array, y) {
      #expect(isClose(b, (a - 0.5) / (0.5 + 1e-5 as Float).squareRoot() + 1, absolute: 1e-6))
    }
  }

  /// 20 000 rows far from zero: a plain sum of so many floats would be off in the third digit.
  @Test func manyRowsKeepTheirStatistics() {
    let (rows, width) = (20_000, 17)
    let x = bench.random([rows, width], seed: 4)
    for i in 0..<x.count { x.pointer[i] = 30 + x.pointer[i] }
    let found = Tensor([2, width], from: bench.pool)
    BatchNormalization.moments(
      x.pointer, rows: rows, width: width, mean: found.pointer, variance: found.pointer + width)
    for c in 0..<width {
      let column = (0..<rows).map { Double(x.pointer[$0 * width + c]) }
      let mean = column.reduce(0, +) / Double(rows)
      let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
      #expect(abs(Double(found.pointer[c]) - mean) < 2e-5)
      #expect(abs(Double(found.pointer[width + c]) - variance) < 1e-5)
    }
  }
}
