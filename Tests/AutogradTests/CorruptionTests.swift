import Autograd
import Tensors
import TestSupport
import Testing

/// The ops of RSPC on the four-pixel example: x̂, its features' distance, what reaches the scores.
@Suite struct CorruptionTests {
  let bench = Workbench { scope in
    _ = scope.parameter("w", [2, 4], .constant(0))
    _ = scope.parameter("g", [4, 4], .constant(0))
    _ = scope.parameter("c", [1, 1, 1, 1], .constant(1))
  }

  private func parameter(_ index: Int) -> Parameter {
    let declarations = ParameterDeclarations()
    return [
      declarations.root.parameter("w", [2, 4], .constant(0)),
      declarations.root.parameter("g", [4, 4], .constant(0)),
      declarations.root.parameter("c", [1, 1, 1, 1], .constant(1)),
    ][index]
  }

  struct Outcome {
    var distance = 0.0
    var w: [Float] = []
    var g: [Float] = []
    var c: Float = 0
  }

  /// The whole chain of one sample with `factor` S on the mask's gradient, clipped to ±1.
  private func run(scale: Float, reversed: Bool = false) -> Outcome {
    let pool = bench.pool
    let (w, g, c) = (parameter(0), parameter(1), parameter(2))
    _ = bench.parameters[w].elements.update(from: [1, 0, -1, 0.5, 0, 2, 1, -1])
    let mixing = bench.parameters[g].pointer
    for i in 0..<16 { mixing[i] = i % 5 == 0 ? 1 : 0 }
    bench.parameters[c].pointer[0] = 1
    bench.gradients.elements.update(repeating: 0)
    let tape = Tape(.parameters(gradients: bench.gradients.pointer), pool: pool)
    let cx = bench.context(tape: tape)

    let grid = PatchGrid(channels: 1, side: 2, patch: 1)
    let x = Tensor([1, 1, 2, 2], [0.2, 0.8, 0.4, 0.6], from: pool)
    let noise = Tensor([1, 1, 2, 2], [0.9, 0.1, 0.5, 0.3], from: pool)
    let responses = cx.patchEmbedding(
      Variable(x), grid: grid, mean: [0], deviation: [1], weight: c, bias: nil)
    let active = cx.gelu(responses, .erf).reshaped([1, 4])
    var scores = cx.linear(active, weight: g, bias: nil)
    for (found, expected) in zip(
      scores.tensor.array, [0.1158519419, 0.6305156811, 0.2621686966, 0.4354481293] as [Float])
    {
      #expect(isClose(found, expected, absolute: 1e-6))
    }
    if reversed { scores = cx.reverseGradient(scores, by: 1) }
    var estimator = MaskEstimator()
    (estimator.factor, estimator.bound) = (scale, 1)
    let occluded = cx.occlude(
      x, with: noise, mask: Tensor([1, 4], [0, 1, 0, 1], from: pool), scores: scores, grid: grid,
      estimator: estimator)
    #expect(occluded.tensor.array == [0.9, 0.8, 0.5, 0.6])
    let companion = cx.linear(occluded.reshaped([1, 1, 4]), weight: w, bias: nil)
    let clean = cx.linear(Variable(x.reshaped([1, 1, 4])), weight: w, bias: nil)
    let (result, distance) = cx.aligned(clean, with: companion, by: .mse, factor: 1)
    tape.backward(from: result, seed: .zeros(result.shape, from: pool))
    let all = bench.gradients
    return Outcome(
      distance: distance, w: all.slice(w.range).array, g: all.slice(g.range).array,
      c: all.slice(c.range).array[0])
  }

  @Test func theFourPixelExample() {
    let outcome = run(scale: 1)
    #expect(abs(outcome.distance - 0.185) < 1e-6)
    let dW: [Float] = [0.42, 0, 0.06, 0, 0.07, 0, 0.01, 0]
    for (found, expected) in zip(outcome.w, dW) {
      #expect(isClose(found, expected, absolute: 1e-6))
    }
    let dG: [Float] = [-0.0486578156, -0.2648165861, -0.1101108526, -0.1828882143]
    for (found, expected) in zip(outcome.g, dG) {
      #expect(isClose(found, expected, absolute: 1e-6))
    }
    #expect(isClose(outcome.c, 0.1083803608, absolute: 1e-6))
  }

  /// du = (-1, 1, 0.5, 0.6) at S = 10, (-1, 1, 1, 1) at S = 65536: read off G's rows over a.
  @Test(
    arguments: [
      (Float(1), [Float(-0.42), 0.14, 0.05, 0.06]), (Float(10), [Float(-1), 1, 0.5, 0.6]),
      (Float(65536), [Float(-1), 1, 1, 1]),
    ] as [(Float, [Float])]) func theMaskGradientIsScaledThenClipped(_ scale: Float, _ du: [Float])
  {
    let outcome = run(scale: scale)
    for row in 0..<4 {
      #expect(isClose(outcome.g[row * 4] / 0.1158519419, du[row], absolute: 2e-5), "row \(row)")
    }
  }

  /// One backward pass serves both players: the model's part is the same, the other's is negated.
  @Test func reversalOnlyTurnsTheCorruptionsPart() {
    let (straight, reversed) = (run(scale: 1), run(scale: 1, reversed: true))
    #expect(straight.w == reversed.w)
    #expect(straight.g == reversed.g.map { -$0 })
    #expect(straight.c == -reversed.c)
  }

  @Test(arguments: [FeatureDistance.mse, .l2norm], [false, true])
  func alignmentAgreesWithFiniteDifferences(_ distance: FeatureDistance, _ stops: Bool) {
    let inputs = [bench.random([2, 3, 5], seed: 1), bench.random([2, 3, 5], seed: 2)]
    func run() -> (value: Double, gradients: [[Float]]) {
      let tape = Tape(.inputs, pool: bench.pool)
      let cx = bench.context(tape: tape)
      let (a, b) = (tape.watch(inputs[0]), tape.watch(inputs[1]))
      let (result, value) = cx.aligned(
        a, with: b, by: distance, factor: 2, stopsGradient: stops)
      tape.backward(from: result, seed: .zeros(result.shape, from: bench.pool))
      return (2 * value, [a, b].map { tape.gradient(of: $0)?.array ?? [] })
    }
    let gradients = run().gradients
    for (input, gradient) in zip(inputs, gradients) {
      for i in 0..<input.count {
        let middle = input.pointer[i]
        func at(_ offset: Float) -> Double {
          input.pointer[i] = middle + offset
          defer { input.pointer[i] = middle }
          return run().value
        }
        let slope = Float((at(0.01) - at(-0.01)) / 0.02)
        let isStopped = stops && input.pointer == inputs[0].pointer
        #expect(isClose(gradient[i], isStopped ? 0 : slope, absolute: 2e-3), "\(i)")
      }
    }
  }
}
