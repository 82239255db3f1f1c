import Attacks
import Configuration
import Tensors
import TestSupport
import Testing

/// Attacks on a tanh network against foolbox 3.3.4 and torchattacks 3.5.1.
@Suite struct GoldenTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let attack: String
    var targets: [Int] = []
    let predictions: [Int]
    let l1, l2, margins: [Double]
    var linf = [Double](repeating: 8.0 / 255, count: 4)
    var testDescription: String { attack }
  }

  static let rows = [
    Row(
      attack: "{kind: fgsm, epsilon: 8/255}", predictions: [9, 0, 2, 0],
      l1: [5.9290, 6.0074, 5.9369, 5.9604], l2: [0.430283, 0.433832, 0.430637, 0.431425],
      margins: [-0.4273, 0.2815, -1.0005, 0.2333]),
    Row(
      attack: "{kind: fgm, epsilon: 0.3}", predictions: [4, 0, 2, 0],
      l1: [3.2220, 3.4242, 3.3487, 3.4491], l2: [0.295380, 0.300000, 0.298779, 0.299278],
      margins: [-0.2670, 0.5307, -0.7714, 0.5361], linf: [0.048630, 0.053124, 0.054921, 0.049482]),
    Row(
      attack: "{kind: bim, epsilon: 8/255, stepSize: 2/255, steps: 10}", predictions: [9, 0, 2, 0],
      l1: [5.9290, 5.9133, 5.9369, 5.9604], l2: [0.430283, 0.428697, 0.430637, 0.431425],
      margins: [-0.4273, 0.2244, -1.0005, 0.2333]),
    Row(
      attack: "{kind: pgd, steps: 10, start: clean, iterate: lastIterate}",
      predictions: [9, 0, 2, 0],
      l1: [5.9290, 5.9133, 5.9369, 5.9604], l2: [0.430283, 0.428697, 0.430637, 0.431425],
      margins: [-0.4273, 0.2244, -1.0005, 0.2333]),
    Row(
      attack: "{kind: pgd, steps: 10, start: clean, iterate: lastIterate, epsilon: 8/255}",
      targets: [8, 1, 8, 1], predictions: [7, 0, 7, 0],
      l1: [5.9369, 5.9840, 5.9365, 5.9289], l2: [0.430637, 0.432776, 0.430043, 0.429564],
      margins: [0.6256, 0.9030, 0.2378, 1.2198]),
    Row(
      attack: "{kind: pgd, norm: l2, epsilon: 0.3, stepSize: 0.06, steps: 10, start: clean, "
        + "iterate: lastIterate}", predictions: [4, 0, 2, 0],
      l1: [3.2778, 3.4111, 3.3929, 3.4587], l2: [0.299550, 0.300000, 0.299874, 0.299904],
      margins: [-0.2987, 0.5338, -0.7815, 0.5300], linf: [0.048281, 0.053248, 0.054187, 0.050315]),
    Row(
      attack: "{kind: mi-fgsm, stepSize: 2/255}", predictions: [9, 0, 2, 0],
      l1: [5.9290, 6.0074, 5.9369, 5.9604], l2: [0.430283, 0.433832, 0.430637, 0.431425],
      margins: [-0.4273, 0.2815, -1.0005, 0.2333]),
    Row(
      attack: "{kind: mi-fgsm, stepSize: 2/255, variant: momentumOfSigns}",
      predictions: [9, 0, 2, 0],
      l1: [5.9290, 5.9133, 5.9369, 5.9604], l2: [0.430283, 0.428697, 0.430637, 0.431425],
      margins: [-0.4273, 0.2624, -1.0005, 0.2333]),
    Row(
      attack: "{kind: deepfool, candidates: 0}", predictions: [4, 9, 2, 9],
      l1: [1.8821, 4.2384, 0.4835, 3.9370], l2: [0.175209, 0.385993, 0.042418, 0.359386],
      margins: [-0.0039, -0.0436, -0.0036, -0.0148], linf: [0.031117, 0.068799, 0.007276, 0.062534]),
    Row(
      attack: "{kind: deepfool, norm: linf, candidates: 0}", predictions: [4, 9, 2, 9],
      l1: [3.1287, 6.6893, 0.7273, 6.2811], l2: [0.226552, 0.484822, 0.052626, 0.454419],
      margins: [-0.0099, -0.0470, -0.0075, -0.0161], linf: [0.016434, 0.035207, 0.003808, 0.032995]),
  ]

  /// Norms were printed to four and six digits; margins move a little with every flipped sign.
  @Test(arguments: rows) func resultsAreTheLibraries(_ row: Row) throws {
    let fixture = FixtureB()
    let attack = try Choice<AttackCatalog>(yaml: row.attack).value
    let goal: AttackGoal =
      row.targets.isEmpty
      ? .labels(fixture.labels) : .targets(row.targets, labels: fixture.labels)
    let x = try attack.examples(
      of: fixture.images, goal, victim: fixture.victim, keys: fixture.keys, pool: fixture.pool)
    let after = try Aftermath(
      x, around: fixture.images, labels: fixture.labels, fixture.victim)
    #expect(after.predictions == row.predictions)
    for n in 0..<4 {
      #expect(abs(after.norms[n].l1 - row.l1[n]) <= 1e-4 * row.l1[n], "L1 of \(n)")
      #expect(abs(after.norms[n].l2 - row.l2[n]) <= 1e-5 * row.l2[n], "L2 of \(n)")
      #expect(abs(after.norms[n].linf - row.linf[n]) <= 1e-4 * row.linf[n], "L∞ of \(n)")
      #expect(abs(after.margins[n] - row.margins[n]) <= 2e-3, "margin of \(n)")
    }
  }

  @Test func theFixtureIsTheReferences() throws {
    let fixture = FixtureB()
    let (logits, gradient) = fixture.victim.gradient(fixture.images, rows: [0, 1, 2, 3]) {
      AttackLoss.crossEntropy.gradient(of: $0, .labels(fixture.labels), into: $1)
    }
    let expected: [Float] = [
      0.180543, 0.630457, -0.254056, 0.306822, 0.581149, -0.063580, -0.188865, 1.282194, -2.250053,
      0.477427,
    ]
    for (a, b) in zip(logits.array, expected) { #expect(isClose(a, b, absolute: 1e-6)) }
    let losses = AttackLoss.crossEntropy.values(of: logits, .labels(fixture.labels))
    for (a, b) in zip(losses, [1.363082, 0.631636, 1.581212, 0.670952]) {
      #expect(abs(a - b) < 1e-6)
    }
    for (n, size) in [22.52643, 15.26845, 25.34855, 15.48220].enumerated() {
      let l1 = Perturbations.sumOfMagnitudes(gradient.pointer + n * 192, count: 192)
      #expect(abs(l1 - size) < 1e-5 * size)
    }
  }

  /// The inner loop of adversarial training asks for nothing but its steps.
  @Test func lastIterateTakesExactlyItsSteps() throws {
    let fixture = FixtureB()
    fixture.victim.queries.begin(count: 4)
    var attack = PGD.training
    attack.steps = 5
    _ = try attack.examples(
      of: fixture.images, .labels(fixture.labels), victim: fixture.victim, keys: fixture.keys,
      pool: fixture.pool)
    for count in fixture.victim.queries.counts {
      #expect((count.forwards, count.gradients, count.zeroGradients) == (5, 5, 0))
    }
  }
}
