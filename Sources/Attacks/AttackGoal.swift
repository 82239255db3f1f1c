import Tensors

/// What an attack is to make a classifier say of a batch of images.
public enum AttackGoal: Sendable {
  /// Anything but these labels.
  case labels([Int])
  /// These classes; the labels are what the images show.
  case targets([Int], labels: [Int])
  /// Away from these distributions over the classes, `[batch, classes]`: labels that were mixed or
  /// smoothed, or what another pass predicted.
  case mixtures(Tensor)

  /// Away from softmax(logits). Cross-entropy with it as target is KL(softmax(logits) ‖ ·) but for a
  /// constant, so its gradient with respect to the scores is TRADES' q - p (Zhang et al., 2019).
  ///
  /// - Parameter logits: `[batch, classes]`
  public static func prediction(_ logits: Tensor, pool: BufferPool) -> AttackGoal {
    let distribution = logits.copy(from: pool)
    AttackLoss.softmax(distribution)
    return .mixtures(distribution)
  }

  /// Images of the batch.
  public var count: Int {
    switch self {
    case .labels(let labels), .targets(_, let labels): labels.count
    case .mixtures(let tensor): tensor.shape[0]
    }
  }

  /// Whether it is defined when an image has been fooled.
  var isReachable: Bool {
    switch self {
    case .labels, .targets: true
    case .mixtures: false
    }
  }

  /// Whether scores of row `row` are what the attack wants; never where that is undefined.
  public func isReached(row: Int, by scores: UnsafeBufferPointer<Float>) -> Bool {
    switch self {
    case .labels(let labels): scores.indexOfGreatest != labels[row]
    case .targets(let targets, _): scores.indexOfGreatest == targets[row]
    case .mixtures: false
    }
  }

  /// The goal of some rows of the batch.
  public func selecting(_ rows: [Int], from pool: BufferPool) -> AttackGoal {
    switch self {
    case .labels(let labels): .labels(rows.map { labels[$0] })
    case .targets(let targets, let labels):
      .targets(rows.map { targets[$0] }, labels: rows.map { labels[$0] })
    case .mixtures(let tensor): .mixtures(tensor.selecting(rows, from: pool))
    }
  }
}

extension Tensor {
  /// A tensor of its own with entries `rows` of the outermost axis.
  func selecting(_ rows: [Int], from pool: BufferPool) -> Tensor {
    let width = count / max(shape[0], 1)
    let result = Tensor(Shape([rows.count] + shape.extents.dropFirst()), from: pool)
    for (position, row) in rows.enumerated() {
      (result.pointer + position * width).update(from: pointer + row * width, count: width)
    }
    return result
  }

  /// Row `row` of a matrix.
  func row(_ row: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: pointer + row * shape[-1], count: shape[-1])
  }
}

extension UnsafeBufferPointer<Float> {
  /// Index of the greatest score, the lowest of equals: the predicted class.
  public var indexOfGreatest: Int {
    var best = 0
    for i in indices where self[i] > self[best] { best = i }
    return best
  }
}
