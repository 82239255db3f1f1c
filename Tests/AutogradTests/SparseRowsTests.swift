import Autograd
import Tensors
import TestSupport
import Testing

/// The penalty on all but the K largest of a row: hand-made values and finite differences.
@Suite struct SparseRowsTests {
  let bench = Workbench()

  /// The gradient of the penalty alone with respect to `input`, where `rows` makes the weights.
  private func penaltyGradient(
    _ input: Tensor, k: Int, factor: Float, _ rows: (Variable, Context) -> Variable
  ) -> (value: Double, gradient: [Float]) {
    let tape = Tape(.inputs, pool: bench.pool)
    let cx = bench.context(tape: tape)
    let watched = tape.watch(input)
    let (result, sparsity) = cx.penalizingTail(of: rows(watched, cx), keeping: k, factor: factor)
    let gradient = gradient(tape, result, watched)
    return (Double(factor) * sparsity.residual, gradient)
  }

  /// With a cotangent of zero only what rides in the pullbacks is left.
  private func gradient(_ tape: Tape, _ result: Variable, _ watched: Variable) -> [Float] {
    tape.backward(from: result, seed: .zeros(result.shape, from: bench.pool))
    return tape.gradient(of: watched)?.array ?? []
  }

  /// w = (0.5, 0.3, 0.15, 0.05), K = 2, μ = 1: residual 0.025, penalty 0.0125, gradient of the logits.
  @Test func oneRowByHand() throws {
    let w: [Float] = [0.5, 0.3, 0.15, 0.05]
    let rows = Tensor([1, 4], w, from: bench.pool)
    let (value, gradient) = penaltyGradient(rows, k: 2, factor: 0.5) { w, _ in w }
    #expect(abs(value - 0.0125) < 1e-8)
    #expect(gradient == [0, 0, 0.15, 0.05])
    let byScore = Tensor([1, 4], gradient, from: bench.pool)
    Softmax.backward(rows.pointer, gradient: byScore.pointer, rows: 1, width: 4, factor: 1)
    for (found, expected) in zip(byScore.array, [-0.0125, -0.0075, 0.01875, 0.00125] as [Float]) {
      #expect(isClose(found, expected, absolute: 1e-7))
    }
    let sparsity = RowSparsity(of: rows, keeping: 2)
    #expect(abs(sparsity.hoyer - 0.3447882228) < 1e-6)
    #expect(abs(sparsity.tail - 0.2) < 1e-7)
  }

  /// One head of three tokens, K = 1, μ = 1/2, with a tie in the third row.
  @Test func oneHeadByHand() {
    let q = Tensor([1, 3, 2], [1, 0, 0, 1, 1, 1], from: bench.pool)
    let k = Tensor([1, 3, 2], [1, 0, 0.5, 0.5, -1, 1], from: bench.pool)
    let tape = Tape(.inputs, pool: bench.pool)
    let cx = bench.context(tape: tape)
    let (queries, keys) = (tape.watch(q), tape.watch(k))
    let weights = cx.attentionWeights(
      queries: HeadColumns(queries, from: 0), keys: HeadColumns(keys, from: 0), heads: 1, depth: 2)
    let (result, sparsity) = cx.penalizingTail(of: weights, keeping: 1, factor: 1)
    #expect(abs(sparsity.residual - 0.4986838420) < 1e-6)
    #expect(abs(sparsity.hoyer / 3 - 0.1384690571) < 1e-6)
    tape.backward(from: result, seed: .zeros(result.shape, from: bench.pool))
    let expectedQ: [Float] = [
      -0.0474880605, 0.0511889071, 0.1590276034, -0.0606160727, -0.0557918279, 0.0564156560,
    ]
    let expectedK: [Float] = [
      -0.2195338009, -0.0906345254, 0.2238584756, 0.1896698842, -0.0043246747, -0.0990353588,
    ]
    for (variable, expected) in [(queries, expectedQ), (keys, expectedK)] {
      let found = tape.gradient(of: variable)?.array ?? []
      #expect(found.count == 6)
      for (a, b) in zip(found, expected) { #expect(isClose(a, b, absolute: 1e-5)) }
    }
  }

  /// Rows of ragged length, whose scores lie farther apart than the stencil reaches.
  @Test(arguments: [(3, 1), (7, 3), (16, 4), (21, 5), (65, 8)])
  func penaltyAgreesWithFiniteDifferences(_ width: Int, _ k: Int) {
    let scores = Tensor([4, width], from: bench.pool)
    for i in 0..<scores.count {
      scores.pointer[i] = 0.06 * Float((i / width + 1) * 29 % 31 + i % width * 37 % width)
    }
    func rows(_ x: Variable, _ cx: Context) -> Variable {
      // softmax(x) as attention of queries x over keys along the axes.
      let identity = Tensor.zeros([1, width, width], from: bench.pool)
      let length = Float(width).squareRoot()
      for i in 0..<width { identity.pointer[i * width + i] = length }
      return cx.attentionWeights(
        queries: HeadColumns(x.reshaped([1, 4, width]), from: 0),
        keys: HeadColumns(Variable(identity), from: 0), heads: 1, depth: width)
    }
    let (_, gradient) = penaltyGradient(scores, k: k, factor: 3, rows)
    let scale = gradient.map(abs).max() ?? 0
    for i in 0..<scores.count {
      let middle = scores.pointer[i]
      func at(_ offset: Float) -> Double {
        scores.pointer[i] = middle + offset
        defer { scores.pointer[i] = middle }
        return penaltyGradient(scores, k: k, factor: 3, rows).value
      }
      let h: Float = 0.01
      let slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * Double(h))
      // A softmax in single precision.
      #expect(isClose(gradient[i], Float(slope), absolute: 0.02 * scale), "\(i)")
    }
  }

  @Test(arguments: [false, true]) func hardProjectionDifferentiates(_ renormalizing: Bool) {
    let w = Tensor(
      [3, 7], bench.random([3, 7], seed: 4).array.map { abs($0) + 0.1 }, from: bench.pool)
    let report = GradientCheck.run(bench, inputs: [w], step: 1e-3) { inputs, cx in
      cx.keepingLargest(of: inputs[0], 3, renormalizing: renormalizing)
    }
    #expect(report.worst < 5e-3, "\(report.place)")
    let kept = bench.context(tape: nil).keepingLargest(
      of: Variable(w), 3, renormalizing: renormalizing
    ).tensor
    for row in 0..<3 {
      let values = Array(kept.array[row * 7..<row * 7 + 7])
      #expect(values.filter { $0 != 0 }.count == 3)
      if renormalizing { #expect(isClose(values.reduce(0, +), 1, absolute: 1e-6)) }
    }
  }

  @Test func hoyerOfKnownRows() {
    func hoyer(_ row: [Float]) -> Double {
      RowSparsity(of: Tensor([1, row.count], row, from: bench.pool), keeping: row.count).hoyer
    }
    #expect(abs(hoyer([0, 1, 0, 0]) - 1) < 1e-6)
    #expect(abs(hoyer([0.25, 0.25, 0.25, 0.25])) < 1e-6)
    #expect(abs(hoyer([0.5, 0.5, 0, 0]) - 0.5857864376) < 1e-6)
    #expect(abs(hoyer([2, 2, 0, 0]) - 0.5857864376) < 1e-6)
    #expect(hoyer([1]) == 1)
    #expect(hoyer([0, 0]) == 0)
  }
}
