import Configuration
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

  public func checkForTraining(classes: Int, mixesLabels: Bool) throws {
    if ascent.searches {
      throw ConfigurationError(
        "iterate",
        "a search for success takes a different time for every image, and the ranks "
          + "would wait for the slowest", remedy: "Use iterate: lastIterate and restarts: 1")
    }
    try ascent.loss.check(isTargeted: false, isMixed: mixesLabels, classes: classes)
  }

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
