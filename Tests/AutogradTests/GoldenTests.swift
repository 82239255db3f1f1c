import Autograd
import Tensors
import TestSupport
import Testing

/// Ops forward and backward against PyTorch in float64, rounded once.
@Suite struct GoldenTests {
  struct Operations: Decodable {
    struct Activation: Decodable {
      let input, erf, erfDerivative, tanh, tanhDerivative: [Float]
    }
    struct Norm: Decodable {
      let shape: [Int]
      let epsilon: Float
      let input, weight, bias, upstream: [Float]
      let output, inputGradient, weightGradient, biasGradient: [Float]
    }
    struct Attention: Decodable {
      let images, tokens, heads, headWidth: Int
      let qkv, upstream, weights, output, qkvGradient: [Float]
    }
    struct Entropy: Decodable {
      let classes: Int
      let smoothing: Float
      let labels, partners: [Int]
      let weights, logits, losses, gradientOfSum: [Float]
    }
    struct DropPath: Decodable {
      let rate: Double
      let rates, kept: [Double]
    }
    let gelu: Activation
    let layerNorm: Norm
    let attention: Attention
    let crossEntropy: Entropy
    let dropPath: DropPath
  }

  private let golden: Operations

  init() throws { golden = try Fixtures.decode("operations.json") }

  /// Runs a function of one input; its value, the input's gradient and the slab of gradients.
  private func differentiate(
    _ bench: Workbench, _ input: Tensor, upstream: [Float]?,
    _ function: (Variable, Context) -> Variable
  ) -> (value: [Float], gradient: [Float]) {
    let tape = Tape(.parameters(gradients: bench.gradients.pointer), pool: bench.pool)
    let x = tape.watch(input)
    let y = function(x, bench.context(tape: tape))
    let value = y.tensor.array
    let ones = Array(repeating: Float(1), count: y.shape.count)
    tape.backward(from: y, seed: Tensor(y.shape, upstream ?? ones, from: bench.pool))
    return (value, tape.gradient(of: x)?.array ?? [])
  }

  private func expect(
    _ found: some Sequence<Float>, _ expected: [Float], within tolerance: Float, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = Array(found)
    #expect(found.count == expected.count, "\(what)", sourceLocation: sourceLocation)
    for (i, (a, b)) in zip(found, expected).enumerated() {
      #expect(
        isClose(a, b, absolute: tolerance), "\(what)[\(i)]: \(a), not \(b)",
        sourceLocation: sourceLocation)
    }
  }

  /// The kernels are built for 1e-6 absolute over the whole range.
  @Test(arguments: [Gelu.erf, .tanh]) func gelu(_ form: Gelu) {
    let bench = Workbench()
    let input = Tensor([golden.gelu.input.count], golden.gelu.input, from: bench.pool)
    let (y, dx) = differentiate(bench, input, upstream: nil) { $1.gelu($0, form) }
    let isErf = form == .erf
    expect(y, isErf ? golden.gelu.erf : golden.gelu.tanh, within: 2e-6, "\(form)")
    expect(
      dx, isErf ? golden.gelu.erfDerivative : golden.gelu.tanhDerivative, within: 2e-6,
      "derivative of \(form)")
  }

  @Test func layerNorm() {
    let norm = golden.layerNorm
    let width = norm.shape[1]
    var parameters: [Parameter] = []
    let bench = Workbench {
      parameters = [
        $0.parameter("weight", [width], .constant(0)), $0.parameter("bias", [width], .constant(0)),
      ]
    }
    let (scale, shift) = (parameters[0], parameters[1])
    _ = bench.parameters[scale].elements.update(from: norm.weight)
    _ = bench.parameters[shift].elements.update(from: norm.bias)
    let input = Tensor(Shape(norm.shape), norm.input, from: bench.pool)
    let (y, dx) = differentiate(bench, input, upstream: norm.upstream) {
      $1.layerNorm($0, scale: scale, shift: shift, epsilon: norm.epsilon)
    }
    // Values of a few units in float32.
    expect(y, norm.output, within: 2e-6, "output")
    expect(dx, norm.inputGradient, within: 4e-6, "input")
    expect(bench.gradients.array[scale.range], norm.weightGradient, within: 4e-6, "weight")
    expect(bench.gradients.array[shift.range], norm.biasGradient, within: 4e-6, "bias")
  }

  @Test func attention() {
    let attention = golden.attention
    let (heads, depth) = (attention.heads, attention.headWidth)
    let width = heads * depth
    let bench = Workbench()
    let qkv = Tensor(
      [attention.images, attention.tokens, 3 * width], attention.qkv, from: bench.pool)
    var weights: [Float] = []
    let (y, dx) = differentiate(bench, qkv, upstream: attention.upstream) { x, cx in
      let mix = cx.attentionWeights(
        queries: HeadColumns(x, from: 0), keys: HeadColumns(x, from: width), heads: heads,
        depth: depth)
      weights = mix.tensor.array
      return cx.attentionMix(mix, values: HeadColumns(x, from: 2 * width), depth: depth)
    }
    expect(weights, attention.weights, within: 1e-6, "weights")
    expect(y, attention.output, within: 2e-6, "output")
    expect(dx, attention.qkvGradient, within: 4e-6, "queries, keys, values")
  }

  @Test func crossEntropy() {
    let entropy = golden.crossEntropy
    let (rows, classes) = (entropy.labels.count, entropy.classes)
    let bench = Workbench()
    let targets = Tensor([rows, classes], from: bench.pool)
    targets.elements.update(repeating: entropy.smoothing / Float(classes))
    for row in 0..<rows {
      let share = 1 - entropy.smoothing
      targets.pointer[row * classes + entropy.labels[row]] += share * entropy.weights[row]
      targets.pointer[row * classes + entropy.partners[row]] += share * (1 - entropy.weights[row])
    }
    let logits = Tensor([rows, classes], entropy.logits, from: bench.pool)
    let (sum, dx) = differentiate(bench, logits, upstream: nil) {
      $1.crossEntropy($0, targets: targets, weight: 1)
    }
    expect(sum, [entropy.losses.reduce(0, +)], within: 4e-6, "sum of losses")
    expect(dx, entropy.gradientOfSum, within: 1e-6, "logits")
    for row in 0..<rows {
      let (one, _) = differentiate(bench, logits.slice(row..<row + 1), upstream: nil) {
        $1.crossEntropy($0, targets: targets.slice(row..<row + 1), weight: 1)
      }
      expect(one, [entropy.losses[row]], within: 2e-6, "loss of row \(row)")
    }
  }

  /// A kept branch is divided by the probability of keeping it.
  @Test func dropPath() {
    let bench = Workbench()
    for (rate, kept) in zip(golden.dropPath.rates, golden.dropPath.kept).dropFirst() {
      let x = Tensor.zeros([64, 2], from: bench.pool)
      let branch = Tensor([64, 2], Array(repeating: Float(1), count: 128), from: bench.pool)
      let y = bench.context(tape: nil).dropPath(
        Variable(x), branch: Variable(branch), rate: Float(rate), layer: 3)
      expect(Set(y.tensor.array).subtracting([0]), [Float(kept)], within: 1e-6, "rate \(rate)")
    }
  }
}
