import Configuration

/// The basic iterative method, I-FGSM (Kurakin et al., 2017): FGSM in small steps from the image
/// itself, each projected.
public struct BIM: AscentAttack {
  public static let kind = "bim"
  public static let about = "FGSM in small steps from the image itself (l-infinity)"

  public var epsilon: PixelDistance = "8/255"
  public var steps = 10
  /// `auto` is epsilon/4.
  public var stepSize = PixelDistance.automatic
  public var loss = AttackLoss.crossEntropy
  public var iterate = ReturnedIterate.lastIterate
  public var target = TargetChoice.none

  public init() {}

  public var threat: ThreatModel { ThreatModel(.linf, epsilon: epsilon) }

  var ascent: Ascent {
    Ascent(
      threat: threat, stepSize: stepSize.step(for: threat, steps: steps), steps: steps, loss: loss,
      iterate: iterate)
  }

  public func validate() throws {
    try epsilon.check("epsilon", allowsZero: true)
    try AttackOptions.check(steps: steps)
    try stepSize.check("stepSize", allowsZero: false)
  }

  mutating func scaleStep(by factor: Double) { stepSize = stepSize.scaled(by: factor) }
}
