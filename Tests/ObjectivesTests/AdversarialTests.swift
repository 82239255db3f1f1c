import Attacks
import Configuration
import Datasets
import Objectives
import Tensors
import Testing

/// Adversarial training: which images are trained on, with what weight, from when.
@Suite struct AdversarialTests {
  private func objective(
    epsilon: PixelDistance = "16/255", _ change: (inout AdversarialTraining) -> Void = { _ in }
  ) -> AdversarialTraining {
    var objective = AdversarialTraining()
    var attack = PGD.training
    (attack.steps, attack.epsilon) = (3, epsilon)
    objective.attack = Choice(attack)
    change(&objective)
    return objective
  }

  private func learn(
    _ objective: any Objective, step: Int = 0
  ) throws -> (loss: Double, gradient: [Float], figures: [Double]) {
    let student = try SmallStudent(objective)
    student.network.parameters.fillWithCountedValues()
    let (contributions, gradient) = try student.contributions([student.batch(6)], step: step)
    return (contributions[0].loss, gradient, contributions[0].figures)
  }

  @Test func examplesAreHarderThanTheImages() throws {
    let natural = try learn(Supervised())
    let attacked = try learn(objective())
    #expect(attacked.loss > natural.loss + 0.01, "\(attacked.loss) against \(natural.loss)")
    #expect(abs(attacked.figures[0] - 16 / 255) < 1e-6)
  }

  /// Without any room to move it is the inner objective, to the bit.
  @Test func anEpsilonOfZeroIsNaturalTraining() throws {
    let natural = try learn(Supervised())
    let none = try learn(objective(epsilon: 0.0))
    #expect(none.loss == natural.loss)
    #expect(none.gradient == natural.gradient)
    let early = try learn(objective { $0.warmup.after = 1 }, step: 5)
    #expect(early.gradient == natural.gradient)
    #expect(early.figures[0] == 0)
  }

  @Test func mixturesWeighBothParts() throws {
    let natural = try learn(Supervised())
    let attacked = try learn(objective())
    let mixed = try learn(objective { $0.naturalWeight = 0.25 })
    #expect(abs(mixed.loss - (0.25 * natural.loss + 0.75 * attacked.loss)) < 1e-5)
    let scale = attacked.gradient.map(abs).max() ?? 0
    for i in mixed.gradient.indices {
      let expected = 0.25 * natural.gradient[i] + 0.75 * attacked.gradient[i]
      #expect(abs(mixed.gradient[i] - expected) < 1e-5 * scale)
    }
  }

  /// Ten steps an epoch: ε grows over the second epoch.
  @Test func epsilonGrowsOverTheWarmup() throws {
    func epsilon(_ step: Int) throws -> Double {
      try learn(objective { ($0.warmup.after, $0.warmup.epochs) = (1, 1) }, step: step).figures[0]
    }
    #expect(try epsilon(10) == 0)
    #expect(abs(try epsilon(15) - 8 / 255) < 1e-6)
    #expect(abs(try epsilon(30) - 16 / 255) < 1e-6)
  }

  /// Random starts are drawn anew in every step, and from the sample alone.
  @Test func startsDependOnTheStepAndTheSample() throws {
    let (first, second) = (try learn(objective(), step: 1), try learn(objective(), step: 2))
    #expect(first.loss != second.loss)
    #expect(try learn(objective(), step: 1).loss == first.loss)
  }

  /// β = 0 leaves TRADES the natural loss; MART refuses labels that were mixed.
  @Test func edgesOfTradesAndMart() throws {
    var trades = TRADES()
    trades.beta = 0
    #expect(try learn(trades).loss == learn(Supervised()).loss)
    trades.beta = 6
    let whole = try learn(trades)
    #expect(whole.figures[1] > 0)
    #expect(abs(whole.loss - (try learn(Supervised()).loss + 6 * whole.figures[1])) < 1e-4)

    let student = try SmallStudent(MART())
    let error = #expect(throws: ConfigurationError.self) {
      try student.learn([student.batch(4, mixed: true)])
    }
    #expect(error?.key == "data.augmentation")
  }

  @Test func objectivesNest() throws {
    let choice = try Choice<ObjectiveCatalog>(
      yaml: """
        kind: ksparse
        k: 4
        of:
          kind: rspc
          rho: 0.25
          of: {kind: adversarial, attack: {kind: pgd, steps: 2}, of: {kind: supervised}}
        """, name: "o")
    let result = try learn(choice.value)
    #expect(result.figures.count == (try SmallStudent(choice.value)).loss.figures.count)
    #expect(result.figures[0] > 0)
  }

  @Test(arguments: [
    ("{kind: adversarial, naturalWeight: 1.5}", "naturalWeight"),
    ("{kind: adversarial, attack: {kind: pgd, steps: 0}}", "attack.steps"),
    ("{kind: adversarial, attack: {kind: pgd, epsilon: -0.1}}", "attack.epsilon"),
    ("{kind: adversarial, warmup: {epochs: -1}}", "warmup.epochs"),
    ("{kind: trades, beta: -1}", "beta"), ("{kind: trades, attack: {steps: 0}}", "attack.steps"),
    ("{kind: mart, beta: -1}", "beta"),
  ]) func whatCannotBeIsRefused(_ options: String, _ key: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<ObjectiveCatalog>(yaml: options, name: "o")
    }
    #expect(error?.key == key)
  }
}
