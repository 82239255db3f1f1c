import Configuration

/// The fast gradient sign method (Goodfellow et al., 2015): clip(x + ε · sign(g)), one step.
public struct FGSM: AscentAttack {
  public static let kind = "fgsm"
  public static let about = "one step of epsilon along the sign of the gradient (l-infinity)"

  public var epsilon: PixelDistance = "8/255"
  public var loss = AttackLoss.crossEntropy
  public var target = TargetChoice.none

  public init() {}

  public var threat: ThreatModel { ThreatModel(.linf, epsilon: epsilon) }

  var ascent: Ascent {
    Ascent(threat: threat, stepSize: threat.epsilon, loss: loss)
  }

  public func validate() throws { try epsilon.check("epsilon", allowsZero: true) }
}
