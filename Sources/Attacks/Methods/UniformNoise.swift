import Configuration
import Tensors

/// Noise without a look at the model: the least that any attack must beat.
public struct UniformNoise: BallAttack {
  public static let kind = "noise"
  public static let about =
    "a random point of the ball, or of its corners: the baseline of any attack"

  public enum Form: String, Codable, Sendable, CaseIterable {
    /// Uniform in the ball: where PGD starts.
    case uniform
    /// Every pixel moved by ±epsilon (l∞ only).
    case sign
  }

  public var norm = ThreatModel.Norm.linf
  /// `auto` is 8/255 for linf and 0.5 for l2.
  public var epsilon = PixelDistance.automatic
  public var form = Form.uniform

  public init() {}

  public var threat: ThreatModel { ThreatModel(norm, epsilon: epsilon) }
  public var warnings: [String] { threat.warnings }

  public func validate() throws {
    try epsilon.check("epsilon", allowsZero: true)
    if form == .sign, norm == .l2 {
      throw ConfigurationError(
        "form", "sign has no meaning for l2", remedy: "Use form: uniform, or norm: linf")
    }
  }

  public func perturb(
    _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor {
    guard threat.epsilon > 0 else { return images }
    let rows = Array(0..<images.shape[0])
    let noisy = AttackStart.uniform.points(
      around: images, rows: rows, threat, keys, restart: 0, pool: pool)
    guard form == .sign else { return noisy }
    // A step of 2 ε from any point of the ball ends at the corner that it points to.
    let direction = noisy.copy(from: pool)
    Elementwise.add(images.pointer, times: -1, to: direction.pointer, count: direction.count)
    threat.step(noisy, along: direction, by: 2 * threat.epsilon, around: images)
    return noisy
  }
}
