import Configuration
import Tensors

/// What an attack maximises. With target classes the sign is turned, so that an attack always climbs.
///
/// Every loss is summed over the samples, never averaged: a sample's gradient does not depend on
/// how many others share its batch.
public enum AttackLoss: String, Codable, Sendable, CaseIterable {
  /// -Σ t log p: of the label, or of a distribution. Towards a target: log p of it.
  case crossEntropy
  /// The greatest other score minus the label's ("PGD-CW"), which has a slope where softmax is
  /// saturated. Towards a target: its score minus the greatest other.
  case margin
  /// The margin over z_1st - z_3rd, independent of the scale of the scores: the difference of logits
  /// ratio of Croce and Hein (2020), -(z_y - z_other) / (z_1st - z_3rd). Towards a target:
  /// -(z_y - z_t) / (z_1st - (z_3rd + z_4th) / 2).
  case dlr

  /// Refuses a combination that has no meaning.
  func check(_ goal: AttackGoal, classes: Int) throws {
    switch goal {
    case .labels: try check(isTargeted: false, isMixed: false, classes: classes)
    case .targets: try check(isTargeted: true, isMixed: false, classes: classes)
    case .mixtures: try check(isTargeted: false, isMixed: true, classes: classes)
    }
  }

  func check(isTargeted: Bool, isMixed: Bool, classes: Int) throws {
    if isMixed, self != .crossEntropy {
      throw ConfigurationError(
        "loss", "\(self) needs one label for every image, not a mixture",
        remedy: "Use loss crossEntropy")
    }
    let needed = self != .dlr ? 2 : isTargeted ? 4 : 3
    guard classes < needed else { return }
    throw ConfigurationError(
      "loss", "\(self) needs \(needed) classes here, the model has \(classes)",
      remedy: needed > 2 && classes > 1 ? "Use loss margin" : "Give a model of more classes")
  }

  /// Writes d loss / d logits of every sample.
  ///
  /// - Parameters: `logits` and `gradient` are `[batch, classes]`, `gradient` undefined before.
  public func gradient(of logits: Tensor, _ goal: AttackGoal, into gradient: Tensor) {
    if self == .crossEntropy {
      gradient.pointer.update(from: logits.pointer, count: logits.count)
      Self.softmax(gradient)
      goal.subtractFrom(probabilities: gradient)
    } else {
      gradient.elements.update(repeating: 0)
      for row in 0..<logits.shape[0] {
        let order = ScoreOrder(logits.row(row))
        let slope = gradient.pointer + row * gradient.shape[1]
        addSlope(order, goal.label(row), goal.target(row), to: slope)
      }
    }
  }

  /// The loss of every sample, in double precision.
  public func values(of logits: Tensor, _ goal: AttackGoal) -> [Double] {
    (0..<logits.shape[0]).map { row in
      if self == .crossEntropy { return goal.crossEntropy(row: row, logits.row(row)) }
      return value(ScoreOrder(logits.row(row)), goal.label(row), goal.target(row))
    }
  }

  /// Softmax of every row, in place. The exponential of the kernel stops at e^-87 where the true one
  /// goes on to zero; without this a saturated model would seem to have a slope.
  static func softmax(_ scores: Tensor) {
    Softmax.forward(scores.pointer, rows: scores.shape[0], width: scores.shape[1], factor: 1)
    for i in 0..<scores.count where scores.pointer[i] < 1e-37 { scores.pointer[i] = 0 }
  }
}
