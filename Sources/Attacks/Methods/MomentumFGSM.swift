import Configuration

/// MI-FGSM (Dong et al., 2018): steps along the sign (l∞) or direction (l2) of an accumulated
/// gradient, from the image itself.
public struct MomentumFGSM: AscentAttack {
  public static let kind = "mi-fgsm"
  public static let about = "iterated FGSM with momentum, whose examples transfer"

  /// What is accumulated.
  public enum Variant: String, Codable, Sendable, CaseIterable {
    /// Gradients divided by their l1 norm: the paper's.
    case gradients
    /// Their signs (l2: their directions), as foolbox 3.3.4 does.
    case momentumOfSigns
  }

  public var norm = ThreatModel.Norm.linf
  /// `auto` is 8/255 for linf and 0.5 for l2.
  public var epsilon = PixelDistance.automatic
  public var steps = 10
  /// `auto` is epsilon/steps.
  public var stepSize = PixelDistance.automatic
  /// μ: what remains of the accumulated gradient in every step.
  public var decay = 1.0
  public var variant = Variant.gradients
  public var loss = AttackLoss.crossEntropy
  public var iterate = ReturnedIterate.lastIterate
  public var target = TargetChoice.none

  public init() {}

  public var threat: ThreatModel { ThreatModel(norm, epsilon: epsilon) }

  var ascent: Ascent {
    let step = stepSize.isAutomatic ? threat.epsilon / Float(steps) : Float(stepSize.value)
    let memory = Float(decay)
    return Ascent(
      threat: threat, stepSize: step, steps: steps,
      momentum: variant == .gradients ? .gradients(decay: memory) : .signs(decay: memory),
      loss: loss, iterate: iterate)
  }

  public func validate() throws {
    try epsilon.check("epsilon", allowsZero: true)
    try AttackOptions.check(steps: steps)
    try stepSize.check("stepSize", allowsZero: false)
    try AttackOptions.check(decay: decay)
  }

  mutating func scaleStep(by factor: Double) { stepSize = stepSize.scaled(by: factor) }
}
