import Configuration

/// The fast gradient method for l2: clip(x + ε · g / ‖g‖₂), one step. Near the edge of the pixel box
/// the change is shorter than ε.
public struct FGM: AscentAttack {
  public static let kind = "fgm"
  public static let about = "one step of length epsilon along the gradient (l2)"

  public var epsilon: PixelDistance = 0.5
  public var loss = AttackLoss.crossEntropy
  public var target = TargetChoice.none

  public init() {}

  public var threat: ThreatModel { ThreatModel(.l2, epsilon: epsilon) }

  var ascent: Ascent {
    Ascent(threat: threat, stepSize: threat.epsilon, loss: loss)
  }

  public func validate() throws { try epsilon.check("epsilon", allowsZero: true) }
}
