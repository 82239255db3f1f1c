import Attacks
import Configuration
import Tensors
import TestSupport
import Testing

/// Attacks on a linear classifier, whose results can be written down.
@Suite struct ClosedFormTests {
  private func run(
    _ attack: some Attack, _ fixture: FixtureA = FixtureA(), goal: AttackGoal? = nil
  ) throws -> (x: [Float], Aftermath) {
    let x = try attack.examples(
      of: fixture.images, goal ?? .labels(fixture.labels), victim: fixture.victim,
      keys: fixture.keys, pool: fixture.pool)
    return (
      x.array,
      try Aftermath(x, around: fixture.images, labels: fixture.labels, fixture.victim)
    )
  }

  private func expect(_ found: ArraySlice<Float>, _ expected: [Float]) {
    for (a, b) in zip(found, expected) { #expect(isClose(a, b, absolute: 2e-6)) }
  }

  @Test func oneStepAlongTheSign() throws {
    var attack = FGSM()
    attack.epsilon = 0.15
    let (x, after) = try run(attack)
    expect(x[0..<4], [0.35, 0.65, 0.35, 0.35])
    expect(x[4..<8], [0.8, 0.2, 0.75, 0.35])
    #expect(after.predictions[..<2] == [1, 0])
    #expect(abs(after.margins[0] + 0.15) < 1e-5 && abs(after.margins[1] - 2.05) < 1e-5)
    #expect(abs(after.norms[0].l1 - 0.6) < 1e-6 && abs(after.norms[0].l2 - 0.3) < 1e-6)
  }

  @Test func oneStepAlongTheGradient() throws {
    var attack = FGM()
    attack.epsilon = 0.3
    let (x, after) = try run(attack)
    expect(x[0..<4], [0.269661, 0.680891, 0.446641, 0.462914])
    #expect(after.predictions[0] == 1 && abs(after.margins[0] + 0.2758) < 1e-4)
  }

  /// Wherever it starts, PGD ends at the corner x - ε (1, -1, 1, 1), and the margin is 0.6 - 5 ε.
  @Test(arguments: [0.05, 0.119, 0.121, 0.15, 0.3])
  func manyStepsEndAtTheCorner(_ epsilon: Double) throws {
    for start in AttackStart.allCases {
      var attack = PGD()
      attack.epsilon = PixelDistance(epsilon)
      (attack.start, attack.iterate, attack.steps) = (start, .lastIterate, 10)
      let (x, after) = try run(attack)
      let e = Float(epsilon)
      expect(x[0..<4], [0.5 - e, 0.5 + e, 0.5 - e, 0.5 - e])
      #expect(abs(after.margins[0] - (0.6 - 5 * epsilon)) < 1e-5)
      #expect((after.predictions[0] != 0) == (epsilon > 0.12))
    }
  }

  /// One step over the nearest boundary is exact where classes are divided by planes: for image a
  /// (1 + η)(d + τ) with d = 0.6/3 (l2) and 0.6/5 (l∞). Image b meets the pixel box on its way.
  @Test func theShortestWayIsFound() throws {
    let (_, l2) = try run(DeepFool())
    #expect(l2.predictions[..<2] == [1, 2])
    #expect(abs(l2.norms[0].l2 - 1.02 * 0.2001) < 1e-6)
    #expect(l2.norms[1].l2 > 0.877148 && l2.norms[1].l2 < 1.03 * 0.877148)
    var attack = DeepFool()
    attack.norm = .linf
    let (_, linf) = try run(attack)
    #expect(abs(linf.norms[0].linf - 1.02 * 0.1201) < 1e-6)
    #expect(abs(linf.norms[1].linf - 0.575086) < 1e-4)
    // Image c is wrong as it is, and b is beyond what is allowed.
    attack.epsilon = 0.3
    let (x, bounded) = try run(attack)
    #expect(bounded.norms[0] == linf.norms[0])
    #expect(x[4...] == FixtureA().images.array[4...])
  }

  /// Clean accuracy 2/3, success 1/2 of the right ones and 2/3 of all, robust accuracy 1/3.
  @Test func ratesAreCounted() throws {
    let fixture = FixtureA()
    let attack = try Choice<AttackCatalog>(yaml: "{kind: fgsm, epsilon: 0.15}")
    let trial = try BatchTrial(
      fixture.images, labels: fixture.labels, keys: fixture.keys, victim: fixture.victim,
      pool: fixture.pool)
    let records = try trial.records(of: attack)
    let report = RobustReport([attack], [records])
    let result = report.attacks[0]
    #expect((report.cleanAccuracy.hits, report.cleanAccuracy.of) == (2, 3))
    #expect((result.robustAccuracy.hits, result.robustAccuracy.of) == (1, 3))
    #expect((result.successOfCorrect.hits, result.successOfCorrect.of) == (1, 2))
    #expect((result.wrongAfter.hits, result.wrongAfter.of) == (2, 3))
    #expect((result.foolingRate.hits, result.foolingRate.of) == (1, 3))
    #expect(report.worstCase == result.robustAccuracy)
    #expect(result.targetHits.of == 0)
    let (a0, success) = (report.cleanAccuracy.value, result.successOfCorrect.value)
    #expect(abs(result.wrongAfter.value - (1 - a0 * (1 - success))) < 1e-12)
    // Only the image that was right and fell counts as changed; both attacked ones as attempted.
    #expect(result.fooled.images == 1 && abs(result.fooled.mean.linf - 0.15) < 1e-6)
    #expect(result.attempted.images == 2 && records[2].norms == PerturbationNorms())
    #expect(records.map(\.gradients) == [1, 1, 0] && records.map(\.forwards) == [2, 2, 0])
  }

  /// An attack that nothing bounds has no radius in its report; one of radius 1 has.
  @Test(arguments: [
    ("{kind: deepfool}", nil), ("{kind: deepfool, norm: linf}", nil),
    ("{kind: deepfool, epsilon: 0.5}", 0.5), ("{kind: pgd, epsilon: 1}", 1),
  ]) func aRadiusIsReportedWhereThereIsOne(_ yaml: String, _ epsilon: Double?) throws {
    let attack = try Choice<AttackCatalog>(yaml: yaml)
    let report = RobustReport([attack], [[]]).attacks[0]
    #expect(report.epsilon == epsilon)
    #expect((ValueTree(encoding: report).mapping?["epsilon"] != nil) == (epsilon != nil))
    #expect((attack.value.allowance == "unbounded") == (epsilon == nil))
  }

  /// With logits times 10⁴ softmax is 0 or 1 to the last bit: cross-entropy has no slope any more.
  @Test func saturationIsSeenAndPassedByTheMargin() throws {
    let fixture = FixtureA(scale: 1e4)
    let trial = try BatchTrial(
      fixture.images, labels: fixture.labels, keys: fixture.keys, victim: fixture.victim,
      pool: fixture.pool)
    func report(_ yaml: String) throws -> RobustReport {
      let choice = try Choice<AttackCatalog>(yaml: yaml)
      return RobustReport([choice], [try trial.records(of: choice)])
    }
    let stalled = try report("{kind: pgd, epsilon: 0.15, start: clean}")
    #expect(stalled.attacks[0].successOfCorrect.hits == 0)
    #expect(stalled.attacks[0].zeroGradients.hits == 2)
    #expect(stalled.warnings.contains { $0.contains("vanished on 2 of 2") })
    for loss in ["margin", "dlr"] {
      let passing = try report("{kind: pgd, epsilon: 0.15, start: clean, loss: \(loss)}")
      #expect(passing.attacks[0].successOfCorrect.hits == 1 && passing.warnings.isEmpty)
    }
  }

  /// One step that does more than twenty, or blind noise that does, is a sign of masked gradients.
  @Test func masksAreSuspected() throws {
    func records(fooled: Int, gradients: Int) -> [AttackRecord] {
      (0..<100).map { sample in
        var record = AttackRecord()
        (record.sample, record.gradients) = (sample, gradients)
        record.prediction = sample < fooled ? 1 : 0
        return record
      }
    }
    func warnings(_ weak: String, _ fooled: Int, epsilon: String = "8/255") throws -> [String] {
      let strong = try Choice<AttackCatalog>(yaml: "kind: pgd")
      let other = try Choice<AttackCatalog>(yaml: "{kind: \(weak), epsilon: \(epsilon)}")
      let passes = weak == "fgsm" ? 1 : 0
      return RobustReport(
        [strong, other],
        [records(fooled: 50, gradients: 20), records(fooled: fooled, gradients: passes)]
      ).warnings
    }
    #expect(try warnings("fgsm", 52).contains { $0.contains("masked") })
    #expect(try warnings("noise", 60).contains { $0.contains("noise fools more images (60)") })
    #expect(try warnings("fgsm", 51).isEmpty && warnings("fgsm", 40).isEmpty)
    #expect(try warnings("fgsm", 90, epsilon: "16/255").isEmpty)
  }

  @Test func intervalsAreWilsons() {
    let half = Rate(500, of: 1000)
    #expect(abs(half.low - 0.4691) < 1e-4 && abs(half.high - 0.5309) < 1e-4)
    #expect(Rate(0, of: 10).low == 0 && abs(Rate(0, of: 10).high - 0.2775) < 1e-4)
    #expect(Rate(0, of: 0) == Rate())
  }
}
