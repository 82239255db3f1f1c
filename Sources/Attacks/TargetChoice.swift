import Tensors

/// To which class an evaluation drives an image.
public enum TargetChoice: String, Codable, Sendable, CaseIterable {
  /// To none in particular: any error will do.
  case none
  /// A class drawn for the image, never its label.
  case random
  /// The class after the label, in a circle.
  case next
  /// The class with the lowest score, the label's aside.
  case leastLikely

  /// The goal for images with these labels.
  ///
  /// - Parameter logits: what the victim says of the images, `[batch, classes]`.
  public func goal(labels: [Int], logits: Tensor, keys: AttackKeys) -> AttackGoal {
    let classes = logits.shape[1]
    guard self != .none, classes > 1 else { return .labels(labels) }
    let targets = labels.enumerated().map { row, label in
      switch self {
      case .none, .next: return (label + 1) % classes
      case .random:
        let drawn = keys.key(.attackTarget, row: row).below(classes - 1)
        return drawn < label ? drawn : drawn + 1
      case .leastLikely:
        let scores = logits.row(row)
        let others = scores.indices.filter { $0 != label }
        return others.reduce(others[0]) { scores[$1] < scores[$0] ? $1 : $0 }
      }
    }
    return .targets(targets, labels: labels)
  }
}
