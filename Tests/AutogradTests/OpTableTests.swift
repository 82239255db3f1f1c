import Autograd
import Tensors
import TestSupport
import Testing

/// One row per op. Each is differentiated by finite differences with respect to its inputs and its
/// parameters, and once more on a tape of inputs, which must give the same input gradients.
struct OpRow: Sendable, CustomTestStringConvertible {
  let name: String
  let inputs: [Shape]
  var declare: @Sendable (Scope) -> Void = { _ in }
  let function: @Sendable ([Variable], Context) -> Variable
  var testDescription: String { name }
}

func parameter(_ cx: Context, _ name: String) -> Parameter {
  let index = cx.parameters.layout.entries.firstIndex { $0.name == name }!
  return Parameter(index: index, entry: cx.parameters.layout.entries[index])
}

private func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> OpRow {
  OpRow(
    name: name, inputs: [[3, inputs], [3, outputs]],
    declare: {
      _ = $0.parameter("w", [outputs, inputs], .normal(0.5))
      _ = $0.parameter("b", [outputs], .normal(0.5))
    },
    function: { x, cx in
      cx.linear(
        x[0], weight: parameter(cx, "w"), bias: parameter(cx, "b"), addedTo: x[1])
    })
}

private func layerNorm(width: Int) -> OpRow {
  OpRow(
    name: "layerNorm of \(width)", inputs: [[3, width]],
    declare: {
      _ = $0.parameter("g", [width], .normal(1))
      _ = $0.parameter("s", [width], .normal(1))
    },
    function: { x, cx in
      cx.layerNorm(x[0], scale: parameter(cx, "g"), shift: parameter(cx, "s"), epsilon: 1e-6)
    })
}

private let rows: [OpRow] = [
  linear("linear 5 to 7", 5, 7), linear("linear 16 to 65", 16, 65),
  OpRow(
    name: "linear, some rows", inputs: [[2, 3, 4]],
    declare: {
      _ = $0.parameter("w", [6, 4], .normal(0.5))
      _ = $0.parameter("b", [6], .normal(0.5))
    },
    function: { x, cx in
      cx.linear(x[0], weight: parameter(cx, "w"), bias: parameter(cx, "b"), rows: 2..<5)
    }),
  layerNorm(width: 7), layerNorm(width: 16), layerNorm(width: 33),
  OpRow(name: "gelu erf", inputs: [[37]], function: { x, cx in cx.gelu(x[0], .erf) }),
  OpRow(name: "gelu tanh", inputs: [[37]], function: { x, cx in cx.gelu(x[0], .tanh) }),
  OpRow(
    name: "attention weights, fused", inputs: [[2, 5, 12]],
    function: { x, cx in
      cx.attentionWeights(
        queries: HeadColumns(x[0], from: 0), keys: HeadColumns(x[0], from: 4), heads: 2, depth: 2)
    }),
  OpRow(
    name: "attention weights, separate queries", inputs: [[2, 1, 4], [2, 17, 8]],
    function: { x, cx in
      cx.attentionWeights(
        queries: HeadColumns(x[0], from: 0), keys: HeadColumns(x[1], from: 4), heads: 2, depth: 2)
    }),
  OpRow(
    name: "attention mix", inputs: [[2, 2, 3, 5], [2, 5, 12]],
    function: { x, cx in
      cx.attentionMix(x[0], values: HeadColumns(x[1], from: 8), depth: 2)
    }),
  OpRow(
    name: "patch embedding", inputs: [[2, 3, 4, 4]],
    declare: {
      _ = $0.parameter("w", [5, 3, 2, 2], .normal(0.5))
      _ = $0.parameter("b", [5], .normal(0.5))
    },
    function: { x, cx in
      cx.patchEmbedding(
        x[0], grid: PatchGrid(channels: 3, side: 4, patch: 2), mean: [0.1, 0.2, 0.3],
        deviation: [0.5, 0.6, 0.7], weight: parameter(cx, "w"), bias: parameter(cx, "b"))
    }),
  OpRow(
    name: "assemble tokens", inputs: [[2, 4, 3]],
    declare: {
      _ = $0.parameter("cls", [1, 1, 3], .normal(1))
      _ = $0.parameter("pos", [1, 5, 3], .normal(1))
    },
    function: { x, cx in
      cx.assembleTokens(
        x[0], prefix: [parameter(cx, "cls")], position: parameter(cx, "pos"), table: nil)
    }),
  OpRow(name: "tokens", inputs: [[2, 5, 3]], function: { x, cx in cx.tokens(x[0], 1..<3) }),
  OpRow(
    name: "mean of tokens", inputs: [[2, 5, 20]],
    function: { x, cx in cx.meanOfTokens(x[0], from: 1) }),
  OpRow(
    name: "add, both from one", inputs: [[2, 3]],
    function: { x, cx in cx.add(cx.scale(x[0], by: 3), x[0]) }),
  OpRow(name: "offset", inputs: [[2, 3]], function: { x, cx in cx.offset(x[0], by: 2) }),
  OpRow(
    name: "drop path", inputs: [[8, 2, 3], [8, 2, 3]],
    function: { x, cx in cx.dropPath(x[0], branch: x[1], rate: 0.4, layer: 3) }),
  OpRow(
    name: "cross-entropy", inputs: [[3, 5]],
    function: { x, cx in
      let targets: [Float] = [0.7, 0.1, 0.1, 0.05, 0.05, 0, 0, 1, 0, 0, 0.5, 0, 0, 0, 0.25]
      return cx.crossEntropy(
        x[0], targets: Tensor([3, 5], targets, from: cx.pool), weight: 0.5)
    }),
  OpRow(
    name: "recompute", inputs: [[3, 4]],
    declare: {
      _ = $0.parameter("w", [4, 4], .normal(0.5))
      _ = $0.parameter("b", [4], .normal(0.5))
    },
    function: { x, cx in
      let (w, b) = (parameter(cx, "w"), parameter(cx, "b"))
      let once = cx.recompute(x[0]) { cx2, cx in
        cx.gelu(cx.linear(cx2, weight: w, bias: b, addedTo: cx2), .erf)
      }
      return cx.linear(once, weight: w, bias: b)
    }),
]

@Suite struct OpTableTests {
  /// Float arithmetic in the stencil loses about eps / h of the sums: 1e-3 of the largest gradient
  /// leaves room, and a wrong factor or sign is far outside.
  @Test(arguments: rows + convolutionalRows) func gradientsAgreeWithFiniteDifferences(_ row: OpRow)
  {
    let bench = Workbench(row.declare)
    let inputs = row.inputs.enumerated().map { bench.random($0.element, seed: UInt64($0.offset)) }
    let report = GradientCheck.run(bench, inputs: inputs, row.function)
    #expect(report.worst < 2e-3, "\(report.place)")
  }

  @Test(arguments: rows + convolutionalRows) func aTapeOfInputsGivesTheSameInputGradients(
    _ row: OpRow
  ) throws {
    let bench = Workbench(row.declare)
    let inputs = row.inputs.enumerated().map { bench.random($0.element, seed: UInt64($0.offset)) }
    func gradients(_ tracking: Tape.Tracking) -> [[Float]] {
      let tape = Tape(tracking, pool: bench.pool)
      let watched = inputs.map { tape.watch($0) }
      let y = row.function(watched, bench.context(tape: tape))
      tape.backward(from: y, seed: bench.random(y.shape, seed: 5))
      return watched.map { tape.gradient(of: $0)?.array ?? [] }
    }
    bench.gradients.elements.update(repeating: 0)
    let both = gradients(.parameters(gradients: bench.gradients.pointer))
    let touched = bench.gradients.array
    #expect(gradients(.inputs) == both)
    #expect(bench.gradients.array == touched, "a tape of inputs changed a parameter's gradient")
  }
}
