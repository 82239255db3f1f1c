import Attacks
import Autograd
import Configuration
import Tensors
import TestSupport
import Testing

/// What every attack owes, whatever it does, on a small transformer.
@Suite struct PropertyTests {
  /// Every kind with a ball of radius ε, and every way through them; occlusion has tests of its own.
  static let attacks =
    AttackCatalog.entries.filter { $0.kind != PatchOcclusion.kind }.map { "{kind: \($0.kind)}" } + [
      "{kind: pgd, norm: l2}", "{kind: pgd, iterate: lastIterate, steps: 5}",
      "{kind: pgd, iterate: bestLoss, steps: 5, restarts: 2}", "{kind: pgd, restarts: 3, steps: 5}",
      "{kind: pgd, start: normal, steps: 5, loss: margin}",
      "{kind: pgd, norm: l2, iterate: lastIterate, restarts: 2, loss: dlr, steps: 5}",
      "{kind: mi-fgsm, norm: l2}", "{kind: mi-fgsm, norm: l2, variant: momentumOfSigns}",
      "{kind: mi-fgsm, variant: momentumOfSigns, iterate: firstSuccess}",
      "{kind: noise, norm: l2}", "{kind: noise, form: sign}",
      "{kind: deepfool, norm: linf, candidates: 2}",
    ]

  private func attack(_ yaml: String, epsilon: Double? = nil) throws -> any Attack {
    let overrides = epsilon.map { ["epsilon=\($0)"] } ?? []
    return try Choice<AttackCatalog>(yaml: yaml, overrides: overrides).value
  }

  @Test func theCatalogueIsSound() { #expect(AttackCatalog.defects == []) }

  /// `examples` itself verifies; this looks again, at white and black images too.
  @Test(arguments: attacks) func resultsStayInTheBallAndTheBox(_ yaml: String) throws {
    let tiny = TinyTransformer()
    let images = tiny.images(40, withExtremes: true)
    let labels = tiny.predictions(images)
    for epsilon in [0.001, 0.03, 0.7, 3] {
      let attack = try attack(yaml, epsilon: epsilon)
      let x = try attack.examples(
        of: images, .labels(labels), victim: tiny.victim, keys: tiny.keys(40), pool: tiny.pool)
      #expect(x.array.allSatisfy { $0 >= 0 && $0 <= 1 })
      for row in 0..<40 {
        let norms = PerturbationNorms(
          x.pointer + row * 64, minus: images.pointer + row * 64, count: 64)
        let size = attack.threat.norm == .linf ? norms.linf : norms.l2
        #expect(size <= epsilon + 1e-6 * max(1, epsilon), "\(yaml), epsilon \(epsilon), row \(row)")
        #expect(norms.l2 <= norms.l1 + 1e-9 && norms.l1 <= 8 * norms.l2 + 1e-9)
      }
    }
  }

  @Test(arguments: attacks) func withoutRoomNothingMoves(_ yaml: String) throws {
    let tiny = TinyTransformer()
    let images = tiny.images(5, withExtremes: true)
    tiny.victim.queries.begin(count: 5)
    let x = try attack(yaml, epsilon: 0).examples(
      of: images, .labels(tiny.predictions(images)), victim: tiny.victim, keys: tiny.keys(5),
      pool: tiny.pool)
    #expect(x.array == images.array)
    #expect(tiny.victim.queries.counts.allSatisfy { $0.gradients == 0 })
  }

  @Test(arguments: attacks) func imagesAreNotWrittenTo(_ yaml: String) throws {
    let tiny = TinyTransformer()
    let images = tiny.images(6)
    let before = images.array
    _ = try attack(yaml).examples(
      of: images, .labels(tiny.predictions(images)), victim: tiny.victim, keys: tiny.keys(6),
      pool: tiny.pool)
    #expect(images.array == before)
  }

  @Test(arguments: attacks) func theSameSeedGivesTheSameBits(_ yaml: String) throws {
    let tiny = TinyTransformer()
    let images = tiny.images(7)
    let labels = tiny.predictions(images)
    func run(_ seed: UInt64) throws -> [Float] {
      try attack(yaml).examples(
        of: images, .labels(labels), victim: tiny.victim, keys: tiny.keys(7, seed: seed),
        pool: tiny.pool
      ).array
    }
    let first = try run(1)
    #expect(try run(1) == first)
    let isRandom = yaml.contains("noise") || (yaml.contains("pgd") && !yaml.contains("clean"))
    #expect(try (run(2) != first) == isRandom, "\(yaml)")
  }

  /// A sample's result is its own: alone, among seven, at another place. Products of other sizes
  /// round differently, and a sign may turn where a gradient is next to nothing, so most pixels and
  /// all verdicts are compared.
  @Test(arguments: attacks) func companyDoesNotMatter(_ yaml: String) throws {
    let tiny = TinyTransformer()
    let images = tiny.images(7)
    let labels = tiny.predictions(images)
    let keys = tiny.keys(7)
    let attack = try attack(yaml)
    let together = try attack.examples(
      of: images, .labels(labels), victim: tiny.victim, keys: keys, pool: tiny.pool)
    for row in 0..<7 {
      let alone = try attack.examples(
        of: images.slice(row..<row + 1), .labels([labels[row]]), victim: tiny.victim,
        keys: keys.selecting([row]), pool: tiny.pool)
      let same = zip(alone.array, together.slice(row..<row + 1).array)
        .filter { isClose($0, $1, absolute: 1e-4) }.count
      #expect(same >= 61, "\(yaml): \(64 - same) pixels of image \(row) differ")
      let verdict = tiny.predictions(together.slice(row..<row + 1))
      #expect(tiny.predictions(alone) == verdict)
    }
  }

  @Test(arguments: [1, 7, 33]) func gradientsDoNotDependOnTheBatch(_ count: Int) throws {
    let tiny = TinyTransformer()
    let images = tiny.images(33)
    let labels = tiny.predictions(images)
    func gradients(_ range: Range<Int>) -> [Float] {
      tiny.victim.gradient(images.slice(range), rows: []) {
        AttackLoss.crossEntropy.gradient(of: $0, .labels(Array(labels[range])), into: $1)
      }.gradient.array
    }
    let whole = gradients(0..<33)
    let scale = whole.map(abs).max()!
    for (a, b) in zip(gradients(0..<count), whole) {
      #expect(isClose(a, b, absolute: 1e-6 * max(scale, 1)))
    }
  }

  /// A stronger adversary never leaves more standing.
  @Test func robustAccuracyFallsWithEpsilonAndRestarts() throws {
    let tiny = TinyTransformer()
    let images = tiny.images(60)
    let trial = try BatchTrial(
      images, labels: tiny.predictions(images), keys: tiny.keys(60), victim: tiny.victim,
      pool: tiny.pool)
    func standing(_ yaml: String) throws -> Int {
      let choice = try Choice<AttackCatalog>(yaml: yaml)
      return RobustReport([choice], [try trial.records(of: choice)]).attacks[0].robustAccuracy.hits
    }
    var last = 60
    for epsilon in [0.01, 0.03, 0.1, 0.3, 1] {
      let now = try standing("{kind: pgd, epsilon: \(epsilon), loss: margin, start: clean}")
      #expect(now <= last, "epsilon \(epsilon)")
      last = now
    }
    #expect(last == 0, "an adversary who may do anything fails")
    let once = try standing("{kind: pgd, epsilon: 0.05, steps: 3}")
    let often = try standing("{kind: pgd, epsilon: 0.05, steps: 3, restarts: 5}")
    let noise = try standing("{kind: noise, epsilon: 0.05}")
    #expect(often < once && once < noise, "\(often), \(once), \(noise)")
  }

  @Test func theSteadyStateAllocatesNothing() throws {
    let tiny = TinyTransformer()
    let images = tiny.images(8)
    let labels = tiny.predictions(images)
    func climb() throws {
      _ = try PGD.training.examples(
        of: images, .labels(labels), victim: tiny.victim, keys: tiny.keys(8), pool: tiny.pool)
    }
    try climb()
    let before = tiny.pool.statistics.allocations
    for _ in 0..<3 { try climb() }
    #expect(tiny.pool.statistics.allocations == before)
  }
}
