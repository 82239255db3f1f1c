import Attacks
import Autograd
import Configuration
import Tensors
import TestSupport
import Testing

/// Losses of scores, their values and slopes.
@Suite struct LossTests {
  let pool = BufferPool(poisonsReturned: true)

  private func tensor(_ rows: [[Float]]) -> Tensor {
    Tensor([rows.count, rows[0].count], rows.flatMap { $0 }, from: pool)
  }

  private func slopes(_ loss: AttackLoss, _ z: Tensor, _ goal: AttackGoal) -> [Float] {
    let gradient = Tensor(z.shape, from: pool)
    loss.gradient(of: z, goal, into: gradient)
    return gradient.array
  }

  @Test func crossEntropyAndDivergence() {
    let z = tensor([[2, 1, 0, -1], [0.5, 1.5, -0.5, 0]])
    let other = tensor([[0.5, 1, 0.25, -1], [0, 1, 0.5, -0.25]])
    for (a, b) in zip(
      AttackLoss.crossEntropy.values(of: z, .labels([0, 1])), [0.4401897, 0.5460064])
    { #expect(abs(a - b) < 1e-6) }
    for (a, b) in zip(
      AttackLoss.crossEntropy.values(of: other, .labels([0, 1])), [1.2949058, 0.8157696])
    { #expect(abs(a - b) < 1e-6) }

    let leave = AttackGoal.prediction(z, pool: pool)
    let entropies = AttackLoss.crossEntropy.values(of: z, leave)
    let crossed = AttackLoss.crossEntropy.values(of: other, leave)
    for (n, divergence) in [0.2988015, 0.1198595].enumerated() {
      #expect(abs(crossed[n] - entropies[n] - divergence) < 1e-6)
    }
    // TRADES with β = 6 on a batch of two: 6/2 (q - p).
    let expected: [Float] = [
      -1.109972, 0.644223, 0.378563, 0.087186, -0.151154, -0.410879, 0.569621, -0.007588,
    ]
    for (a, b) in zip(slopes(.crossEntropy, other, leave), expected) {
      #expect(isClose(3 * a, b, absolute: 2e-6))
    }
    // At the prediction itself there is no slope at all: why TRADES starts beside the image.
    #expect(slopes(.crossEntropy, z, leave).allSatisfy { $0 == 0 })
  }

  @Test func gradientOfFixtureA() {
    let fixture = FixtureA()
    let (_, gradient) = fixture.victim.gradient(fixture.images, rows: [0, 1, 2]) {
      AttackLoss.crossEntropy.gradient(of: $0, .labels(fixture.labels), into: $1)
    }
    for (a, b) in zip(gradient.array, [-0.939834, 0.738075, -0.217718, -0.151320] as [Float]) {
      #expect(isClose(a, b, absolute: 1e-6))
    }
  }

  @Test func differenceOfLogitsRatio() {
    let z = tensor([[3, 1, 0.5, -1, 0], [1, 3, 0.5, -1, 0]])
    let plain = AttackLoss.dlr.values(of: z, .labels([0, 0]))
    #expect(abs(plain[0] + 0.8) < 1e-9 && abs(plain[1] - 0.8) < 1e-9)
    let targeted = AttackLoss.dlr.values(of: z, .targets([2, 1], labels: [0, 0]))
    #expect(abs(targeted[0] + 0.9090909) < 1e-6 && abs(targeted[1] - 0.7272727) < 1e-6)
  }

  /// Negative scores must not lose against the zeros of a mask.
  @Test func theMarginOfNegativeScores() {
    let z = tensor([[-1, -3, -2], [-5, -4, -9]])
    #expect(AttackLoss.margin.values(of: z, .labels([0, 0])) == [-1, 1])
    #expect(slopes(.margin, z, .labels([0, 0])) == [-1, 0, 1, -1, 1, 0])
    #expect(slopes(.margin, z, .targets([2, 2], labels: [0, 0])) == [-1, 0, 1, 0, -1, 1])
  }

  /// Ties go to the lowest class.
  @Test func tiesGoToTheLowest() {
    let z = tensor([[1, 1, 1, 1]])
    #expect(slopes(.margin, z, .labels([0])) == [-1, 1, 0, 0])
    #expect(slopes(.margin, z, .labels([2])) == [1, 0, -1, 0])
    #expect(AttackGoal.labels([0]).isReached(row: 0, by: UnsafeBufferPointer(z.elements)) == false)
  }

  /// Slopes against central differences, in every combination that has a meaning.
  @Test func slopesAreDerivatives() {
    let key = RandomKey(seed: 3, .synthesis)
    let z = Tensor([3, 6], (0..<18).map { 4 * key.uniformFloat($0) - 2 }, from: pool)
    let mixtures = Tensor([3, 6], (0..<18).map { key.uniformFloat(100 + $0) }, from: pool)
    Softmax.forward(mixtures.pointer, rows: 3, width: 6, factor: 2)
    let goals: [AttackGoal] = [.labels([0, 3, 5]), .targets([1, 2, 3], labels: [0, 3, 5])]
    let pairs =
      AttackLoss.allCases.flatMap { loss in goals.map { (loss, $0) } }
      + [(.crossEntropy, .mixtures(mixtures))]
    for (loss, goal) in pairs {
      for (index, slope) in slopes(loss, z, goal).enumerated() {
        let middle = z.pointer[index]
        func value(_ h: Float) -> Double {
          z.pointer[index] = middle + h
          return loss.values(of: z, goal).reduce(0, +)
        }
        // h = 2⁻¹⁰ is exact in float32; the curvature leaves about 1e-6.
        let numeric = (value(0x1p-10) - value(-0x1p-10)) / 0x1p-9
        z.pointer[index] = middle
        #expect(abs(Double(slope) - numeric) < 2e-5, "\(loss) of \(goal) at \(index)")
      }
    }
  }

  @Test func meaninglessCombinationsAreRefused() throws {
    let fixture = FixtureA()
    func refuse(_ yaml: String, _ goal: AttackGoal, naming word: String) throws {
      let attack = try Choice<AttackCatalog>(yaml: yaml).value
      let error = #expect(throws: ConfigurationError.self) {
        try attack.examples(
          of: fixture.images, goal, victim: fixture.victim, keys: fixture.keys, pool: fixture.pool)
      }
      #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }
    let mixtures = Tensor.zeros([3, 3], from: fixture.pool)
    try refuse("{kind: fgsm, loss: margin}", .mixtures(mixtures), naming: "one label")
    try refuse("{kind: pgd}", .mixtures(mixtures), naming: "lastIterate")
    try refuse(
      "{kind: fgsm, loss: dlr}", .targets([1, 1, 1], labels: [0, 0, 0]), naming: "4 classes")
  }
}
