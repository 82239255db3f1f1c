import Configuration
import Tensors

/// DeepFool (Moosavi-Dezfooli et al., 2016): about the shortest change that turns a prediction. How
/// long it is on average tells how far a classifier's images lie from its boundaries.
///
/// Each step crosses the nearest boundary as it looks from where the image is, to first order; steps
/// add up, and the sum goes a little further than the boundary. Images that are not turned stay.
public struct DeepFool: BallAttack {
  public static let kind = "deepfool"
  public static let about = "the shortest change that turns the prediction (l-infinity or l2)"

  public var norm = ThreatModel.Norm.l2
  /// Longer changes are given up; `auto` knows no bound but the pixel box.
  public var epsilon = PixelDistance.automatic
  public var steps = 50
  /// Classes with the greatest scores whose boundaries are looked at, the present one among them; 0
  /// for all.
  public var candidates = 10
  /// η: how much further than the boundary, as a part of the whole change.
  public var overshoot = 0.02

  public init() {}

  public var threat: ThreatModel {
    epsilon.isAutomatic ? .unbounded(norm) : ThreatModel(norm, epsilon: epsilon)
  }

  public var name: String { "\(Self.kind)@\(norm)" }

  public func validate() throws {
    try epsilon.check("epsilon", allowsZero: true)
    try AttackOptions.check(steps: steps)
    guard candidates == 0 || candidates >= 2 else {
      throw ConfigurationError(
        "candidates", "is \(candidates)", remedy: "Give 0 for all classes, or at least 2")
    }
    guard overshoot.isFinite, overshoot >= 0 else {
      throw ConfigurationError(
        "overshoot", "is \(overshoot)", remedy: "Give a small number from 0, usually 0.02")
    }
  }

  public func checkForTraining(classes: Int, mixesLabels: Bool) throws {
    throw ConfigurationError(
      "kind",
      "deepfool takes a different time for every image, and the ranks would wait for the "
        + "slowest", remedy: "Train with pgd, fgsm or bim, and evaluate with deepfool")
  }

  public func perturb(
    _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor {
    guard case .labels(let labels) = goal else {
      throw ConfigurationError(
        "kind", "deepfool leads away from one label, to whatever class is nearest",
        remedy: "Use pgd for targets and for mixed labels")
    }
    guard threat.epsilon > 0, images.shape[0] > 0 else { return images }
    let result = images.copy(from: pool)
    var walkers = BoundaryWalkers(
      self, images, labels: labels, logits: try victim.logits(images, rows: Array(labels.indices)),
      pool: pool)
    for _ in 0..<steps where !walkers.rows.isEmpty {
      try walkers.cross(victim, settlingInto: result)
    }
    if !walkers.rows.isEmpty {
      walkers.settleTurned(try victim.logits(walkers.x, rows: walkers.rows), into: result)
    }
    return result
  }
}
