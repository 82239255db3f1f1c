import Configuration
import Tensors

/// An attack that is an ascent: its options say which.
protocol AscentAttack: BallAttack {
  var ascent: Ascent { get }
}

extension AscentAttack {
  public var warnings: [String] { ascent.warnings }

  public func checkForTraining(classes: Int, mixesLabels: Bool) throws {
    if ascent.searches {
      throw ConfigurationError(
        "iterate",
        "a search for success takes a different time for every image, and the ranks "
          + "would wait for the slowest", remedy: "Use iterate: lastIterate and restarts: 1")
    }
    try ascent.loss.check(isTargeted: false, isMixed: mixesLabels, classes: classes)
  }

  public func perturb(
    _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor {
    try ascent.perturb(images, goal, of: victim, keys: keys, pool: pool)
  }
}
