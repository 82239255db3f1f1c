/// Signs that figures flatter a classifier (Athalye et al., 2018; Carlini et al., 2019).
extension RobustReport {
  var suspicions: [String] {
    var suspicions = attacks.flatMap { report in
      report.attack.value.warnings.map { "\(report.attack.kind): \($0)" }
    }
    for report in attacks where report.zeroGradients.hits > 0 {
      suspicions.append(
        "\(report.attack.kind): the gradient vanished on \(report.zeroGradients.hits) of "
          + "\(report.zeroGradients.of) images; softmax may be saturated, try loss: margin or dlr")
    }
    for strong in attacks where strong.gradients > 1 {
      for weak in attacks where weak.surpasses(strong) {
        suspicions.append(
          "\(weak.attack.kind) fools more images (\(weak.successOfCorrect.hits)) than "
            + "\(strong.attack.kind) does in many steps (\(strong.successOfCorrect.hits)): gradients "
            + "may be masked")
      }
    }
    return suspicions
  }
}

extension AttackReport {
  /// Whether this attack, blind or of one step, does more than one of many steps within the same
  /// bounds, by over one image in a hundred.
  fileprivate func surpasses(_ strong: AttackReport) -> Bool {
    gradients <= 1 && norm == strong.norm && epsilon == strong.epsilon
      && targetHits.of == 0 && strong.targetHits.of == 0
      && 100 * (successOfCorrect.hits - strong.successOfCorrect.hits) > successOfCorrect.of
  }
}
