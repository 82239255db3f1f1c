import Attacks
import Configuration
import Tensors
import TestSupport
import Testing

/// What goes into an attack, what comes out of it, and how its options are spelled.
@Suite struct CheckTests {
  /// An attack that does whatever a test wants.
  struct Rogue: Attack {
    static let kind = "rogue"
    static let about = "for tests"
    var shift: Float = 0
    var threat: ThreatModel { ThreatModel(.linf, epsilon: 0.1) }

    func scaled(by factor: Double) -> Rogue { self }

    func perturb(
      _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys,
      pool: BufferPool
    ) -> Tensor {
      let x = images.copy(from: pool)
      x.pointer[5] += shift
      return x
    }
  }

  @Test(arguments: [(0.2, "moved the image by"), (-0.2, "reach from -0.1"), (.nan, "not finite")])
  func aRogueAttackIsCaught(_ shift: Float, _ words: String) throws {
    let fixture = FixtureA()
    var rogue = Rogue()
    func run() throws {
      _ = try rogue.examples(
        of: fixture.images, .labels(fixture.labels), victim: fixture.victim,
        keys: AttackKeys(seed: 0, samples: [40, 41, 42]), pool: fixture.pool)
    }
    rogue.shift = 0.09
    try run()
    rogue.shift = shift
    let error = #expect(throws: AttackError.self) { try run() }
    #expect(error?.kind == .broken)
    for word in ["rogue", "sample 41", words] {
      #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }
  }

  @Test(arguments: [
    (255, "divide them by 255"), (-1.5, "normalised"), (1.001, "random erasing"),
    (.nan, "not finite"),
  ])
  func badPixelsAreNamed(_ pixel: Float, _ words: String) throws {
    let fixture = FixtureA()
    fixture.images.pointer[9] = pixel
    let error = #expect(throws: AttackError.self) {
      try FGSM().examples(
        of: fixture.images, .labels(fixture.labels), victim: fixture.victim, keys: fixture.keys,
        pool: fixture.pool)
    }
    #expect(error?.kind == .badData)
    for word in ["sample 2", words] {
      #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }
  }

  @Test func roundingBeyondTheBoxIsClipped() throws {
    let fixture = FixtureA()
    fixture.images.pointer[0] = 1 + 5e-7
    var attack = FGSM()
    attack.epsilon = 0.0
    let x = try attack.examples(
      of: fixture.images, .labels(fixture.labels), victim: fixture.victim, keys: fixture.keys,
      pool: fixture.pool)
    #expect(x.pointer[0] == 1 && x.pointer[4] == fixture.images.pointer[4])
  }

  @Test func badLabelsAreNamed() throws {
    let fixture = FixtureA()
    func message(_ goal: AttackGoal) -> String {
      let error = #expect(throws: AttackError.self) {
        try FGSM().examples(
          of: fixture.images, goal, victim: fixture.victim, keys: fixture.keys, pool: fixture.pool)
      }
      return error?.description ?? ""
    }
    #expect(message(.labels([0, 7, 0])).contains("sample 1: label 7 is outside 0..<3"))
    #expect(message(.targets([1, 1, -1], labels: [0, 0, 0])).contains("sample 2: target -1"))
    #expect(message(.targets([1, 0, 1], labels: [0, 0, 0])).contains("is what the image shows"))
  }

  @Test(arguments: [
    ("{kind: pgd, epsilon: -0.1}", "epsilon", "-0.1"),
    ("{kind: pgd, epsilon: 8/0}", "epsilon", "8/0"),
    ("{kind: pgd, epsilon: eight}", "epsilon", "8/255"),
    ("{kind: pgd, epsilon: .inf}", "epsilon", "inf"),
    ("{kind: pgd, epsilon: .nan}", "epsilon", "nan"),
    ("{kind: pgd, stepSize: 0}", "stepSize", "positive"),
    ("{kind: pgd, steps: 0}", "steps", "noise"),
    ("{kind: pgd, restarts: 0}", "restarts", "positive"),
    ("{kind: pgd, norm: l1}", "norm", "linf, l2"),
    ("{kind: pgd, iterate: last}", "iterate", "firstSuccess"),
    ("{kind: pgd, alpha: 0.1}", "alpha", "stepSize"),
    ("{kind: mi-fgsm, decay: -1}", "decay", "-1"),
    ("{kind: noise, norm: l2, form: sign}", "form", "uniform"),
    ("{kind: deepfool, candidates: 1}", "candidates", "at least 2"),
    ("{kind: deepfool, overshoot: -0.1}", "overshoot", "0.02"),
    ("{kind: pdg}", "kind", "pgd"),
  ])
  func badOptionsAreRefused(_ yaml: String, _ key: String, _ word: String) {
    let error = #expect(throws: ConfigurationError.self) { try Choice<AttackCatalog>(yaml: yaml) }
    #expect(error?.key == key)
    #expect(error?.description.contains(word) == true, "\(String(describing: error))")
  }

  @Test func distancesAreSpelledAsTheyWereGiven() throws {
    for (text, value, spelled) in [
      ("8/255", 8.0 / 255, "8/255 (0.03137)"), ("0.0314", 0.0314, "0.0314 (8.007/255)"),
      ("1", 1, "1 (255/255)"),
    ] {
      let choice = try Choice<AttackCatalog>(yaml: "{kind: fgsm, epsilon: \(text)}")
      let fgsm = try #require(choice.value as? FGSM)
      #expect(fgsm.epsilon.value == value && fgsm.epsilon.description == spelled)
      #expect(try Choice<AttackCatalog>(yaml: choice.yaml) == choice)
    }
    #expect(try Choice<AttackCatalog>(yaml: "kind: fgsm").yaml.contains("epsilon: 8/255"))
  }

  @Test func suspiciousOptionsAreNoted() throws {
    func warnings(_ yaml: String) throws -> String {
      try Choice<AttackCatalog>(yaml: yaml).value.warnings.joined(separator: "; ")
    }
    #expect(try warnings("{kind: pgd}") == "")
    #expect(try warnings("{kind: mi-fgsm}") == "")
    #expect(try warnings("{kind: fgsm, epsilon: 8}").contains("did you mean 8/255"))
    #expect(try warnings("{kind: bim, stepSize: 0.001, steps: 3}").contains("never reach"))
    #expect(try warnings("{kind: pgd, stepSize: 0.1}").contains("longer than epsilon"))
    #expect(try warnings("{kind: pgd, norm: l2, epsilon: 3}") == "")
  }

  @Test(arguments: [
    ("{kind: pgd, iterate: lastIterate}", 10, true, ""), ("{kind: pgd}", 10, false, "iterate"),
    ("{kind: pgd, iterate: lastIterate, restarts: 2}", 10, false, "iterate"),
    ("{kind: pgd, iterate: bestLoss, restarts: 2}", 10, true, ""),
    ("{kind: fgsm, loss: margin}", 10, false, ""), ("{kind: fgsm, loss: margin}", 10, true, "loss"),
    ("{kind: fgsm, loss: dlr}", 2, false, "loss"), ("{kind: noise}", 2, true, ""),
    ("{kind: deepfool}", 10, false, "kind"),
  ])
  func trainingTakesWhatTakesEquallyLong(
    _ yaml: String, _ classes: Int, _ mixesLabels: Bool, _ key: String
  ) throws {
    let attack = try Choice<AttackCatalog>(yaml: yaml).value
    var found = ""
    do {
      try attack.checkForTraining(classes: classes, mixesLabels: mixesLabels)
    } catch let error as ConfigurationError {
      found = error.key
    }
    #expect(found == key)
    #expect(throws: Never.self) {
      try PGD.training.checkForTraining(classes: 10, mixesLabels: true)
    }
  }

  /// A schedule scales ε and the step, in whatever way they were given.
  @Test func schedulesScaleBoth() throws {
    for kind in AttackCatalog.entries.map(\.kind) where kind != PatchOcclusion.kind {
      let yaml = "{kind: \(kind)}"
      let attack = try Choice<AttackCatalog>(yaml: yaml).value
      #expect(abs(attack.scaled(by: 0.5).threat.epsilon - attack.threat.epsilon / 2) < 1e-9)
      #expect(attack.scaled(by: 0).threat.epsilon == 0)
      #expect(attack.scaled(by: 1).threat == attack.threat)
    }
    var pgd = PGD()
    pgd.stepSize = 0.02
    #expect(pgd.scaled(by: 0.5).stepSize.value == 0.01)
    #expect(PGD().scaled(by: 0.5).stepSize.isAutomatic)
  }

  /// The streams of the reference: key (42, 1, 0, 7, 0, 0), elements 0 to 3.
  @Test func startsComeFromTheKeyedStream() throws {
    let key = RandomKey(seed: 42, .attackStart, sample: 7)
    let expected: [Float] = [
      0.6986262798309326, 0.021051645278930664, 0.7236602306365967, 0.9654479622840881,
    ]
    #expect((0..<4).map { key.uniformFloat($0) } == expected)
    let fixture = FixtureA()
    var noise = UniformNoise()
    noise.epsilon = 0.01
    let x = try noise.examples(
      of: fixture.images.slice(0..<1), .labels([0]), victim: fixture.victim,
      keys: AttackKeys(seed: 42, samples: [7]), pool: fixture.pool)
    for (a, u) in zip(x.array, expected) {
      #expect(isClose(a, 0.5 + 0.01 * (2 * u - 1), absolute: 1e-7))
    }
  }

  /// The radius of a uniform point in a ball of d dimensions is ε u^(1/d): its d-th power is uniform.
  @Test func startsAreUniformInTheBall() throws {
    let pool = BufferPool()
    let fixture = FixtureA()
    let count = 2000
    let images = Tensor.zeros([count, 1, 2, 2], from: pool)
    images.elements.update(repeating: 0.5)
    var noise = UniformNoise()
    (noise.norm, noise.epsilon) = (.l2, 0.2)
    let x = try noise.examples(
      of: images, .labels(Array(repeating: 0, count: count)), victim: fixture.victim,
      keys: AttackKeys(seed: 1, samples: Array(0..<count)), pool: pool)
    let powers = (0..<count).map { row in
      let norms = PerturbationNorms(x.pointer + 4 * row, minus: images.pointer + 4 * row, count: 4)
      return (0..<4).reduce(1.0) { power, _ in power * norms.l2 / 0.2 }
    }
    // The mean of 2000 uniform numbers is 1/2 to four deviations of 0.0065.
    #expect(abs(powers.reduce(0, +) / Double(count) - 0.5) < 0.026)
    let below = powers.filter { $0 < 0.25 }.count
    #expect(abs(Double(below) / Double(count) - 0.25) < 0.04)
  }
}
