import Attacks
import Configuration
import Networks

extension Objective {
  func validate(beta: Double) throws {
    guard beta >= 0, beta.isFinite else {
      throw ConfigurationError("beta", "is \(beta)", remedy: "Give 0 or a positive number")
    }
  }
}

extension Choice<ObjectiveCatalog> {
  /// For what attacks the images itself: a second attack inside would undo the first.
  func refuseAttacks() throws {
    guard value.demands.contains(.pixelsInRange) else { return }
    throw ConfigurationError(
      "of", "\(kind) attacks the images as well",
      remedy: "Name what is minimised over the examples, such as {kind: supervised}")
  }
}

extension Attack {
  /// Refuses what cannot be the inner loop of training `model`; errors are placed under `path`.
  func check(for model: any Classifier, at path: String) throws {
    do {
      try checkForTraining(classes: model.description.classes, mixesLabels: false)
    } catch let error as ConfigurationError {
      throw ConfigurationError("\(path).\(error.key)", error.problem, remedy: error.remedy)
    }
  }
}

extension PGD {
  /// TRADES' and MART's published attack: ten steps of 0.007 within 0.031, from x + 0.001 N(0, 1).
  static var besideTheImage: PGD {
    var attack = PGD.training
    (attack.steps, attack.start) = (10, .normal)
    (attack.epsilon, attack.stepSize) = (0.031, 0.007)
    return attack
  }
}
