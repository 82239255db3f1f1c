import Tensors

/// An attack that is an ascent: its options say which.
protocol AscentAttack: Attack {
  var epsilon: PixelDistance { get set }
  var ascent: Ascent { get }
  mutating func scaleStep(by factor: Double)
}

extension AscentAttack {
  public var warnings: [String] { ascent.warnings }

  mutating func scaleStep(by factor: Double) {}

  public func scaled(by factor: Double) -> Self {
    guard factor != 1 else { return self }
    var scaled = self
    scaled.epsilon = PixelDistance(Double(threat.epsilon) * factor)
    scaled.scaleStep(by: factor)
    return scaled
  }

  public func perturb(
    _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor {
    try ascent.perturb(images, goal, of: victim, keys: keys, pool: pool)
  }
}
