import Configuration

/// Projected gradient descent (Madry et al., 2018): steps along the sign of the gradient (l∞) or the
/// gradient's direction (l2), each projected onto the ball and the pixel box.
public struct PGD: AscentAttack {
  public static let kind = "pgd"
  public static let about = "projected gradient steps from random starts (l-infinity or l2)"

  public var norm = ThreatModel.Norm.linf
  /// `auto` is 8/255 for linf and 0.5 for l2.
  public var epsilon = PixelDistance.automatic
  public var steps = 20
  /// `auto` is epsilon/4 for linf and 2.5 epsilon/steps for l2.
  public var stepSize = PixelDistance.automatic
  public var start = AttackStart.uniform
  /// Independent starts; each goes on with the images that still stand.
  public var restarts = 1
  public var loss = AttackLoss.crossEntropy
  public var iterate = ReturnedIterate.firstSuccess
  public var target = TargetChoice.none

  public init() {}

  /// Madry's inner loop of adversarial training.
  public static var training: PGD {
    var attack = PGD()
    attack.steps = 7
    attack.iterate = .lastIterate
    return attack
  }

  public var forTraining: PGD {
    var attack = self
    if iterate == .firstSuccess { attack.iterate = .lastIterate }
    return attack
  }

  public var threat: ThreatModel { ThreatModel(norm, epsilon: epsilon) }

  var ascent: Ascent {
    Ascent(
      threat: threat, stepSize: stepSize.step(for: threat, steps: steps), steps: steps,
      start: start, restarts: restarts, loss: loss, iterate: iterate)
  }

  public func validate() throws {
    try epsilon.check("epsilon", allowsZero: true)
    try AttackOptions.check(steps: steps)
    try stepSize.check("stepSize", allowsZero: false)
    try AttackOptions.check(
      restarts, atLeast: 1, "restarts", remedy: "Give a positive integer; 1 starts once")
  }

  mutating func scaleStep(by factor: Double) { stepSize = stepSize.scaled(by: factor) }
}
