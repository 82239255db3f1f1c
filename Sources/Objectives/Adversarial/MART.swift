import Attacks
import Autograd
import Configuration
import Networks

/// MART (Wang et al., 2020): boosted cross-entropy of the adversarial example, plus β times the
/// divergence, which counts more the less sure the natural prediction is of the label.
public struct MART: Objective, Loss {
  public static let kind = "mart"
  public static let about = "boosted loss, weighted by how unsure the natural prediction is (MART)"

  public var attack = PGD.besideTheImage
  /// β.
  public var beta = 5.0
  public var warmup = EpsilonWarmup()
  public var attackedPhase = AttackedPhase.evaluation

  public init() {}

  public func validate() throws { try validate(beta: beta) }

  public func makeLoss(in scope: Scope, for model: any Classifier) throws -> any Loss {
    try attack.forTraining.check(for: model, at: "objective.attack")
    return self
  }

  public var demands: BatchDemands { [.pixelsInRange, .oneLabel] }

  public var figures: [String] { ["epsilon"] }

  public func callAsFunction(_ pass: Pass) throws -> Variable {
    let cx = pass.context
    let labels = try pass.hardLabels(for: Self.kind)
    let factor = warmup.factor(at: pass.moment)
    let share = Double(pass.batch.count) * Double(pass.sampleWeight)
    pass.tally.add(share * factor * Double(attack.threat.epsilon), to: "epsilon")
    let examples =
      factor > 0
      ? try pass.examples(
        of: attack.forTraining.scaled(by: factor), .labels(labels), in: attackedPhase)
      : pass.batch.images
    let natural = try pass.logits(Variable(pass.batch.images)).prediction(cx)
    let attacked = try pass.logits(Variable(examples), tracksStatistics: false).prediction(cx)
    return cx.misclassificationAware(
      natural: natural, attacked: attacked, labels: labels, beta: beta, weight: pass.sampleWeight)
  }
}
