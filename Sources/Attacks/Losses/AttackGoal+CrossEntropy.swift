import Autograd
import Tensors

extension AttackGoal {
  /// p becomes p - t, or t - p for target classes: the slope of cross-entropy over the logits.
  ///
  /// - Parameter probabilities: `[batch, classes]`
  func subtractFrom(probabilities: Tensor) {
    let (batch, classes) = (probabilities.shape[0], probabilities.shape[1])
    for row in 0..<batch {
      let p = probabilities.pointer + row * classes
      switch self {
      case .labels(let labels): p[labels[row]] -= 1
      case .targets(let targets, _):
        for c in 0..<classes { p[c] = -p[c] }
        p[targets[row]] += 1
      case .mixtures(let mixtures):
        let t = mixtures.pointer + row * classes
        let sum = Elementwise.sum(t, count: classes)
        // A prediction equal to the target has no slope at all, whatever the rounding of the sum.
        let total = abs(sum - 1) < 1e-5 ? 1 : sum
        for c in 0..<classes { p[c] = p[c] * total - t[c] }
      }
    }
  }

  /// Cross-entropy of one row of scores, negative for target classes.
  func crossEntropy(row: Int, _ scores: UnsafeBufferPointer<Float>) -> Double {
    guard let z = scores.baseAddress else { return 0 }
    let normalizer = logSumExp(z, scores.count)
    switch self {
    case .labels(let labels): return normalizer - Double(z[labels[row]])
    case .targets(let targets, _): return Double(z[targets[row]]) - normalizer
    case .mixtures(let mixtures):
      let t = mixtures.row(row)
      return t.indices.reduce(0.0) {
        $0 + (t[$1] == 0 ? 0 : Double(t[$1]) * (normalizer - Double(z[$1])))
      }
    }
  }

  /// What the image shows; only where the goal has labels.
  func label(_ row: Int) -> Int {
    switch self {
    case .labels(let labels), .targets(_, let labels): labels[row]
    case .mixtures: preconditionFailure("a mixture has no label")
    }
  }

  func target(_ row: Int) -> Int? {
    if case .targets(let targets, _) = self { targets[row] } else { nil }
  }
}
