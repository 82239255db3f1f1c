import Attacks
import Configuration
import Reports

extension RobustReport {
  /// The table that people read.
  var text: String {
    var table = TextTable([
      "attack", "within", "robust", "95 % interval", "fooled of right",
      "mean change of the fooled",
      "passes",
    ])
    for report in attacks {
      let norm = report.norm == .linf ? report.fooled.mean.linf : report.fooled.mean.l2
      table.append([
        report.attack.label,
        report.attack.value.allowance,
        report.robustAccuracy.text,
        report.robustAccuracy.interval,
        report.successOfCorrect.text,
        report.fooled.images == 0 ? "none" : "\(figure(norm)) \(report.norm)",
        "\(figure(report.forwards)) forward, \(figure(report.gradients)) back",
      ])
    }
    var lines = [
      "clean accuracy \(cleanAccuracy.text) on \(counted(samples, "image")), "
        + "95 % interval \(cleanAccuracy.interval)", table.text,
    ]
    if attacks.count > 1 {
      lines.append(
        "all attacks together leave \(worstCase.text), 95 % interval \(worstCase.interval)")
    }
    lines += warnings.map { "note: \($0)" }
    lines.append("attacked in \(duration(seconds))")
    return lines.joined(separator: "\n")
  }
}

extension Choice<AttackCatalog> {
  /// The kind with the options that are not its defaults: `pgd loss=dlr restarts=3`. Norm and epsilon
  /// have a column of their own.
  fileprivate var label: String {
    let usual = CatalogListing(AttackCatalog.self).kinds.first { $0.name == kind }?.defaults
    let given = ValueTree(encoding: self).mapping?.entries ?? []
    let changes = given.filter { key, value in
      !["norm", "epsilon"].contains(key) && value != usual?[path: key]
    }
    return ([kind] + changes.map { "\($0)=\($1.string ?? $1.json)" }).joined(separator: " ")
  }
}

extension Rate {
  /// `42.00 % (84/200)`, or `n/a` where nothing was counted.
  var text: String { of == 0 ? "n/a" : "\(percent(value)) (\(hits)/\(of))" }

  var interval: String { of == 0 ? "n/a" : "\(percent(low)) to \(percent(high))" }
}
