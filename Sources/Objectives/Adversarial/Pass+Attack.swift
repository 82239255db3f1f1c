import Attacks
import Autograd
import Configuration
import Datasets
import Tensors

/// In which phase a model is attacked: with its random regularisation, or without.
public enum AttackedPhase: String, Codable, Sendable {
  case evaluation
  case training
}

extension Pass {
  private func victim(in phase: AttackedPhase) -> NetworkVictim {
    let cx = context
    return NetworkVictim(
      model, cx.parameters, products: cx.products, pool: cx.pool,
      phase: phase == .training ? .training : .evaluation, keys: cx.keys)
  }

  /// Adversarial examples for the batch, from the model as it is, `[batch, channels, side, side]`.
  func examples(
    of attack: some Attack, _ goal: AttackGoal, in phase: AttackedPhase
  ) throws -> Tensor {
    let keys = AttackKeys(
      seed: seed, epoch: moment.step, samples: batch.samples, repeats: batch.repeats)
    return try attack.examples(
      of: batch.images, goal, victim: victim(in: phase), keys: keys, pool: context.pool)
  }

  /// Away from what the model itself says of the images.
  func predictionGoal(in phase: AttackedPhase) -> AttackGoal {
    let logits = victim(in: phase).logits(batch.images, rows: Array(0..<batch.count))
    return .prediction(logits, pool: context.pool)
  }

  /// Away from the labels; from their mixtures where any label is mixed.
  var attackGoal: AttackGoal {
    if let labels = batch.hardLabels { return .labels(labels) }
    let classes = model.description.classes
    return .mixtures(batch.targets(classes: classes, smoothing: 0, from: context.pool))
  }

  /// The labels of an objective that has no meaning for mixed ones.
  func hardLabels(for objective: String) throws -> [Int] {
    guard let labels = batch.hardLabels else {
      throw ConfigurationError(
        "data.augmentation", "mixes labels, and \(objective) needs one label for every image",
        remedy: "Set mixup and cutmix to 0")
    }
    return labels
  }
}

extension Batch {
  /// One label for every image; nil where any is mixed.
  var hardLabels: [Int]? {
    labels.allSatisfy { $0.weight == 1 } ? labels.map(\.label) : nil
  }
}
