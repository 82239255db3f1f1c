/// The losses of differences of scores, and their slopes: sums over few classes.
extension AttackLoss {
  /// Terms of a sum of scores: (class, factor).
  private typealias Terms = [(Int, Double)]

  private func sum(_ order: ScoreOrder, _ terms: Terms) -> Double {
    terms.reduce(0) { $0 + $1.1 * Double(order.scores[$1.0]) }
  }

  /// What is to grow: z_other - z_label, or z_target - z_other.
  private func numerator(_ order: ScoreOrder, _ label: Int, _ target: Int?) -> Terms {
    switch (self, target) {
    case (.dlr, let target?): [(target, 1), (label, -1)]
    case (_, let target?): [(target, 1), (order.greatest(except: target), -1)]
    case (_, nil): [(order.greatest(except: label), 1), (label, -1)]
    }
  }

  /// What DLR divides by.
  private func denominator(_ order: ScoreOrder, _ target: Int?) -> Terms {
    target == nil
      ? [(order[0], 1), (order[2], -1)] : [(order[0], 1), (order[2], -0.5), (order[3], -0.5)]
  }

  func value(_ order: ScoreOrder, _ label: Int, _ target: Int?) -> Double {
    let above = sum(order, numerator(order, label, target))
    return self == .dlr ? above / (sum(order, denominator(order, target)) + 1e-12) : above
  }

  /// Adds the slope over the scores to a row of zeros.
  func addSlope(
    _ order: ScoreOrder, _ label: Int, _ target: Int?, to g: UnsafeMutablePointer<Float>
  ) {
    let above = numerator(order, label, target)
    guard self == .dlr else {
      for (k, factor) in above { g[k] += Float(factor) }
      return
    }
    let below = denominator(order, target)
    let divisor = sum(order, below) + 1e-12
    let slope = sum(order, above) / (divisor * divisor)
    for (k, factor) in above { g[k] += Float(factor / divisor) }
    for (k, factor) in below { g[k] -= Float(slope * factor) }
  }
}
