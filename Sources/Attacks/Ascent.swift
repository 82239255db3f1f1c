import Configuration
import Tensors

/// Which of the points on its way an iterative attack returns.
public enum ReturnedIterate: String, Codable, Sendable, CaseIterable {
  /// The last: for adversarial training and for transfer to other models.
  case lastIterate
  /// The first that fools the victim, at which the image's search ends; else the last.
  case firstSuccess
  /// The one with the greatest loss.
  case bestLoss
}

/// Projected gradient ascent on an attack loss: what FGSM, BIM, MI-FGSM and PGD have in common.
struct Ascent {
  var threat: ThreatModel
  var stepSize: Float
  var steps = 1
  var momentum = Momentum.none
  var start = AttackStart.clean
  /// Independent starts; each goes on with the images that still stand.
  var restarts = 1
  var loss = AttackLoss.crossEntropy
  var iterate = ReturnedIterate.lastIterate

  /// What a step follows.
  enum Momentum: Sendable, Equatable {
    /// The gradient.
    case none
    /// m ← decay · m + g / ‖g‖₁ (Dong et al., 2018).
    case gradients(decay: Float)
    /// m ← decay · m + sign(g), or g / ‖g‖₂ for l2: foolbox's reading of it.
    case signs(decay: Float)
  }

  /// Whether it looks for success, and so takes a different time for every image.
  var searches: Bool { iterate == .firstSuccess || (iterate == .lastIterate && restarts > 1) }

  func perturb(
    _ images: Tensor, _ goal: AttackGoal, of victim: any Victim, keys: AttackKeys, pool: BufferPool
  ) throws -> Tensor {
    try loss.check(goal, classes: victim.description.classes)
    if searches && !goal.isReachable {
      throw ConfigurationError(
        "iterate", "mixed labels have no success at which \(iterate) could stop",
        remedy: "Use iterate: lastIterate and restarts: 1")
    }
    guard threat.epsilon > 0, images.shape[0] > 0 else { return images }
    let arena = Arena(images: images, goal: goal, victim: victim, keys: keys, pool: pool)
    if iterate == .bestLoss { return try best(arena) }
    return try searches ? search(arena) : climb(arena)
  }

  /// What one call of an attack is about.
  struct Arena {
    let images: Tensor
    let goal: AttackGoal
    let victim: any Victim
    let keys: AttackKeys
    let pool: BufferPool

    var rows: [Int] { Array(0..<images.shape[0]) }
  }

  /// Exactly `steps` forward and reverse passes, whatever comes of them: the inner loop of
  /// adversarial training.
  private func climb(_ arena: Arena) throws -> Tensor {
    var climbers = Climbers(self, arena, rows: arena.rows, restart: 0)
    for _ in 0..<steps { try climbers.climb() }
    return climbers.x
  }

  /// Starts anew with the images that still stand; where `iterate` is the first success, an image
  /// leaves the batch as soon as it fools the victim.
  private func search(_ arena: Arena) throws -> Tensor {
    let result = arena.images.copy(from: arena.pool)
    var standing = arena.rows
    for restart in 0..<restarts where !standing.isEmpty {
      var climbers = Climbers(self, arena, rows: standing, restart: restart)
      for _ in 0..<steps where !climbers.rows.isEmpty {
        guard iterate == .firstSuccess else {
          try climbers.climb()
          continue
        }
        try climbers.climb { $0.settleFooled($1, into: result) }
      }
      if !climbers.rows.isEmpty {
        let logits = try arena.victim.logits(climbers.x, rows: climbers.rows)
        _ = climbers.settleFooled(logits, into: result)
        climbers.write(into: result)
      }
      standing = climbers.rows
    }
    return result
  }

  /// Keeps the point with the greatest loss of every image, over all steps and starts.
  private func best(_ arena: Arena) throws -> Tensor {
    let result = arena.images.copy(from: arena.pool)
    var record = [Double](repeating: -.infinity, count: arena.images.shape[0])
    func judge(_ climbers: Climbers, _ logits: Tensor) {
      let values = loss.values(of: logits, arena.goal)
      climbers.write(into: result) { values[$0] > record[$0] }
      record = zip(record, values).map { max($0, $1) }
    }
    for restart in 0..<restarts {
      var climbers = Climbers(self, arena, rows: arena.rows, restart: restart)
      for _ in 0..<steps {
        try climbers.climb { climbers, logits in
          judge(climbers, logits)
          return nil
        }
      }
      judge(climbers, try arena.victim.logits(climbers.x, rows: arena.rows))
    }
    return result
  }
}
