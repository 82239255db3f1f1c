import Autograd
import Tensors
import TestSupport
import Testing

/// TRADES' and MART's terms on two samples of four classes: values in double precision, and finite
/// differences.
@Suite struct DivergenceTests {
  let bench = Workbench()
  static let natural: [Float] = [2, 1, 0, -1, 0.5, 1.5, -0.5, 0]
  static let attacked: [Float] = [0.5, 1, 0.25, -1, 0, 1, 0.5, -0.25]

  private func run(
    _ loss: (Variable, Variable, Context) -> Variable
  ) -> (value: Float, natural: [Float], attacked: [Float]) {
    let tape = Tape(.inputs, pool: bench.pool)
    let cx = bench.context(tape: tape)
    let z = tape.watch(Tensor([2, 4], Self.natural, from: bench.pool))
    let other = tape.watch(Tensor([2, 4], Self.attacked, from: bench.pool))
    let result = loss(z, other, cx)
    tape.backward(from: result)
    return (
      result.tensor.pointer[0], tape.gradient(of: z)?.array ?? [],
      tape.gradient(of: other)?.array ?? []
    )
  }

  private func expect(_ found: [Float], _ expected: [Double]) {
    #expect(found.count == expected.count)
    // The expected values have six decimals.
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-6) }
  }

  @Test func trades() {
    let targets = Tensor([2, 4], [1, 0, 0, 0, 0, 1, 0, 0], from: bench.pool)
    let result = run { z, other, cx in
      let loss = cx.crossEntropy(z, targets: targets, weight: 0.5)
      return cx.add(loss, cx.divergence(from: z, to: other, weight: 3))
    }
    #expect(abs(result.value - 1.74908083) < 1e-5)
    expect(
      result.natural,
      [0.895841, -0.552471, -0.268601, -0.074769, 0.202381, 0.050128, -0.278322, 0.025813])
    expect(
      result.attacked,
      [-1.109972, 0.644223, 0.378563, 0.087186, -0.151154, -0.410879, 0.569621, -0.007588])
  }

  @Test func mart() {
    let result = run { z, other, cx in
      cx.misclassificationAware(
        natural: z, attacked: other, labels: [0, 1], beta: 5, weight: 0.5)
    }
    #expect(abs(result.value - 1.90381744) < 1e-5)
    expect(
      result.natural,
      [0.147383, -0.085143, -0.050717, -0.011523, 0.070589, 0.018306, -0.097721, 0.008826])
    expect(
      result.attacked,
      [-0.805186, 0.642748, 0.131170, 0.031268, -0.001464, -0.503979, 0.467969, 0.037474])
  }

  @Test func equalScoresDoNotDiverge() {
    let tape = Tape(.inputs, pool: bench.pool)
    let cx = bench.context(tape: tape)
    let z = tape.watch(Tensor([2, 4], Self.natural, from: bench.pool))
    let same = tape.watch(Tensor([2, 4], Self.natural, from: bench.pool))
    let result = cx.divergence(from: z, to: same, weight: 1)
    #expect(abs(result.tensor.pointer[0]) < 1e-7)
    tape.backward(from: result)
    for variable in [z, same] {
      #expect(tape.gradient(of: variable)?.array.allSatisfy { abs($0) < 1e-7 } ?? false)
    }
  }

  @Test func termsAgreeWithFiniteDifferences() {
    let inputs = [bench.random([3, 5], seed: 1), bench.random([3, 5], seed: 2)]
    for (name, loss) in [
      ("divergence", { $2.divergence(from: $0, to: $1, weight: 0.7) }),
      (
        "misclassificationAware",
        {
          $2.misclassificationAware(
            natural: $0, attacked: $1, labels: [4, 0, 2], beta: 5, weight: 0.7)
        }
      ),
    ] as [(String, (Variable, Variable, Context) -> Variable)] {
      let report = GradientCheck.run(bench, inputs: inputs) { loss($0[0], $0[1], $1) }
      // Values are single precision scalars.
      #expect(report.worst < 2e-3, "\(name) \(report.place)")
    }
  }
}
