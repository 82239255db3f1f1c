import Attacks
import Autograd
import Configuration
import Networks

/// Training on adversarial examples (Goodfellow et al., 2015; Madry et al., 2018): another objective
/// over images that an attack made of the batch, or a mixture of it with the same over the images as
/// they are:
///
///     (1 − λ) L(x′) + λ L(x),   x′ = attack(x)
///
/// The examples count as constants. With a single step of 1.25 ε from a random start it is "fast"
/// training (Wong et al., 2020).
public struct AdversarialTraining: Objective {
  public static let kind = "adversarial"
  public static let about = "another objective over adversarial examples (PGD by default)"

  /// What is minimised over the examples.
  public var of = Choice<ObjectiveCatalog>()
  /// Makes the examples; it never stops early, so that all ranks take equally long.
  public var attack = Choice<AttackCatalog>(PGD.training)
  /// λ: the share of the loss over the images as they are.
  public var naturalWeight = 0.0
  public var warmup = EpsilonWarmup()
  public var attackedPhase = AttackedPhase.evaluation

  public init() {}

  public var teacher: Teacher { of.value.teacher }
  public var demands: BatchDemands { of.value.demands.union(.pixelsInRange) }

  public func validate() throws {
    guard (0...1).contains(naturalWeight) else {
      throw ConfigurationError(
        "naturalWeight", "is \(naturalWeight)", remedy: "Give a share from 0 to 1")
    }
    try of.refuseAttacks()
  }

  public func makeLoss(in scope: Scope, for model: any Classifier) throws -> any Loss {
    try attack.value.forTraining.check(for: model, at: "objective.attack")
    return AdversarialLoss(self, around: try of.value.makeLoss(in: scope, for: model))
  }
}

extension AdversarialTraining {
  /// FGSM from a random start with steps of 1.25 ε.
  public static var fast: AdversarialTraining {
    var objective = AdversarialTraining()
    var attack = PGD.training
    (attack.steps, attack.epsilon, attack.stepSize) = (1, "8/255", "10/255")
    objective.attack = Choice(attack)
    return objective
  }
}

/// The loss of `AdversarialTraining`.
struct AdversarialLoss: Loss {
  let figures: [String]
  var opponent: Opponent? { inner.opponent }

  private let options: AdversarialTraining
  private let attack: any Attack
  private let inner: any Loss

  init(_ options: AdversarialTraining, around inner: any Loss) {
    self.options = options
    self.inner = inner
    attack = options.attack.value.forTraining
    figures = ["epsilon"] + inner.figures
  }

  func callAsFunction(_ pass: Pass) throws -> Variable {
    let factor = options.warmup.factor(at: pass.moment)
    let share = Double(pass.batch.count) * Double(pass.sampleWeight)
    pass.tally.add(share * factor * Double(attack.threat.epsilon), to: "epsilon")
    guard factor > 0, options.naturalWeight < 1 else { return try inner(pass) }
    let examples = try pass.examples(
      of: attack.scaled(by: factor), pass.attackGoal, in: options.attackedPhase)
    let attacked = pass.replacing(images: Variable(examples))
    guard options.naturalWeight > 0 else { return try inner(attacked) }
    let natural = try inner(pass.weighted(by: options.naturalWeight))
    return pass.context.add(natural, try inner(attacked.weighted(by: 1 - options.naturalWeight)))
  }

  func state(at moment: Moment) -> [String: String] { inner.state(at: moment) }
}
