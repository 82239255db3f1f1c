import Configuration

/// How a classifier stands up to attacks on the same images.
public struct RobustReport: Codable, Sendable, Equatable {
  public var samples = 0
  /// Part of the images that is right before any attack.
  public var cleanAccuracy = Rate()
  public var attacks: [AttackReport] = []
  /// Part of the images that is right before and that no attack fools: what the ensemble leaves.
  public var worstCase = Rate()
  /// What makes the figures doubtful.
  public var warnings: [String] = []
  public var seconds = 0.0

  public init() {}

  /// - Parameter records: of every attack, every sample once, in the order of the data set.
  public init(_ choices: [Choice<AttackCatalog>], _ records: [[AttackRecord]]) {
    let first = records.first ?? []
    samples = first.count
    let correct = first.filter(\.wasCorrect).count
    cleanAccuracy = Rate(correct, of: samples)
    attacks = zip(choices, records).map { AttackReport($0, $1) }
    let standing = first.indices.filter { row in
      first[row].wasCorrect && records.allSatisfy { !$0[row].isFooled }
    }
    worstCase = Rate(standing.count, of: samples)
    warnings = suspicions
    if !first.isEmpty, first.allSatisfy({ $0.looksLikeProbabilities == 1 }) {
      warnings.append("the model returns probabilities; attacks need the scores before softmax")
    }
  }

  /// Whether two reports say the same, whatever time they took.
  public func agrees(with other: RobustReport) -> Bool {
    var other = other
    other.seconds = seconds
    return self == other
  }
}
