import Configuration

/// What one attack did to a classifier, image by image added up. Numbers are sums over samples in the
/// order of the data set, so they have the same bits on any number of ranks.
public struct AttackReport: Codable, Sendable, Equatable {
  public var attack = Choice<AttackCatalog>()
  public var norm = ThreatModel.Norm.linf
  /// The radius of its ball; absent where nothing but the pixel box bounds a change.
  public var epsilon: Double?
  /// Right before and not fooled, of all: the headline.
  public var robustAccuracy = Rate()
  /// Fooled, of those that were right before (ASR_correct).
  public var successOfCorrect = Rate()
  /// Wrong after the attack, of all (ASR_all).
  public var wrongAfter = Rate()
  /// Predicted otherwise than before, of all; labels play no part.
  public var foolingRate = Rate()
  /// Predicted as the target class, of all; of nothing where there are no targets.
  public var targetHits = Rate()
  /// Changes of the images that were fooled: means and medians.
  public var fooled = Spread()
  /// Changes of all images that were attacked.
  public var attempted = Spread()
  /// Means over the images that were attacked; the pass that judges the result is counted.
  public var forwards = 0.0
  public var gradients = 0.0
  /// Images for which a gradient was zero everywhere at least once.
  public var zeroGradients = Rate()

  public init() {}

  /// How large the changes of some images were.
  public struct Spread: Codable, Sendable, Equatable {
    public var images = 0
    public var mean = PerturbationNorms()
    public var median = PerturbationNorms()

    public init() {}

    init(_ records: [AttackRecord]) {
      images = records.count
      let norms = records.map(\.norms)
      for path in [\PerturbationNorms.l1, \.l2, \.linf] where !records.isEmpty {
        let values = norms.map { $0[keyPath: path] }
        mean[keyPath: path] = values.reduce(0, +) / Double(values.count)
        let sorted = values.sorted()
        median[keyPath: path] =
          (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
      }
    }
  }

  /// - Parameter records: of every sample once, in the order of the data set.
  init(_ choice: Choice<AttackCatalog>, _ records: [AttackRecord]) {
    attack = choice
    norm = choice.value.threat.norm
    epsilon = choice.value.threat.isBounded ? Double(choice.value.threat.epsilon) : nil
    let attempts = records.filter(\.wasCorrect)
    let successes = attempts.filter(\.isFooled)
    let wrong = records.filter { $0.prediction != $0.label }.count
    robustAccuracy = Rate(attempts.count - successes.count, of: records.count)
    successOfCorrect = Rate(successes.count, of: attempts.count)
    wrongAfter = Rate(wrong, of: records.count)
    foolingRate = Rate(
      records.filter { $0.prediction != $0.cleanPrediction }.count, of: records.count)
    let targeted = records.filter { $0.target >= 0 }
    targetHits = Rate(targeted.filter { $0.prediction == $0.target }.count, of: targeted.count)
    precondition(
      !targeted.isEmpty || wrong == records.count - robustAccuracy.hits,
      "an image that was wrong before became right without being attacked")
    fooled = Spread(successes)
    attempted = Spread(attempts)
    zeroGradients = Rate(attempts.filter { $0.zeroGradients > 0 }.count, of: attempts.count)
    let count = Double(max(attempts.count, 1))
    forwards = Double(attempts.reduce(0) { $0 + $1.forwards }) / count
    gradients = Double(attempts.reduce(0) { $0 + $1.gradients }) / count
  }
}
