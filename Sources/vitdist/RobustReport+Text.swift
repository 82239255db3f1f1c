import Attacks
import Reports

extension RobustReport {
  /// The table that people read.
  var text: String {
    var table = TextTable([
      "attack", "epsilon", "robust", "95 % interval", "fooled of right",
      "mean change of the fooled",
      "passes",
    ])
    for report in attacks {
      let norm = report.norm == .linf ? report.fooled.mean.linf : report.fooled.mean.l2
      table.append([
        report.attack.kind,
        "\(PixelDistance(report.epsilon)) \(report.norm)",
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

extension Rate {
  /// `42.00 % (84/200)`, or `n/a` where nothing was counted.
  var text: String { of == 0 ? "n/a" : "\(percent(value)) (\(hits)/\(of))" }

  var interval: String { of == 0 ? "n/a" : "\(percent(low)) to \(percent(high))" }
}
