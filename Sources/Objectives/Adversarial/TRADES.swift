import Attacks
import Autograd
import Configuration
import Networks

/// TRADES (Zhang et al., 2019): CE(f(x), y) + β KL(f(x) ‖ f(x′)), where x′ maximises the divergence.
/// Gradients flow through both arguments of the divergence; while x′ is sought, f(x) is held.
public struct TRADES: Objective, Loss {
  public static let kind = "trades"
  public static let about = "natural loss plus beta times the divergence under attack (TRADES)"

  /// The inner maximisation; it starts beside the image, as the divergence has no slope at it.
  public var attack = PGD.besideTheImage
  /// β: what robustness is worth in natural loss.
  public var beta = 6.0
  public var labelSmoothing = 0.0
  public var warmup = EpsilonWarmup()
  public var attackedPhase = AttackedPhase.evaluation

  public init() {}

  public func validate() throws {
    try validate(beta: beta)
    guard (0..<1).contains(labelSmoothing) else {
      throw ConfigurationError(
        "labelSmoothing", "is \(labelSmoothing)", remedy: "Give a number from 0 up to 1")
    }
  }

  public func makeLoss(in scope: Scope, for model: any Classifier) throws -> any Loss {
    try attack.forTraining.check(for: model, at: "objective.attack")
    return self
  }

  public var demands: BatchDemands { .pixelsInRange }

  public var figures: [String] { ["epsilon", "divergence"] }

  public func callAsFunction(_ pass: Pass) throws -> Variable {
    let cx = pass.context
    let factor = warmup.factor(at: pass.moment)
    let share = Double(pass.batch.count) * Double(pass.sampleWeight)
    pass.tally.add(share * factor * Double(attack.threat.epsilon), to: "epsilon")
    let images = Variable(pass.batch.images)
    let natural = try pass.logits(images).prediction(cx)
    let targets = pass.batch.targets(
      classes: natural.shape[1], smoothing: labelSmoothing, from: cx.pool)
    let loss = cx.crossEntropy(natural, targets: targets, weight: pass.sampleWeight)
    guard factor > 0, beta > 0 else { return loss }

    let examples = try pass.examples(
      of: attack.forTraining.scaled(by: factor), pass.predictionGoal(in: attackedPhase),
      in: attackedPhase)
    let attacked = try pass.logits(Variable(examples), tracksStatistics: false).prediction(cx)
    let weight = pass.sampleWeight * Float(beta)
    let divergence = cx.divergence(from: natural, to: attacked, weight: weight)
    pass.tally.add(Double(divergence.tensor.pointer[0]) / beta, to: "divergence")
    return cx.add(loss, divergence)
  }
}
