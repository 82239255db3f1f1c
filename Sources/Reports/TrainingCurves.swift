import Foundation

/// The curves of a run as an SVG picture: losses and, if there are any, accuracies, against epochs
/// (steps, where the file has no epochs).
///
/// A number is a loss if its name ends in `loss`, an accuracy if it ends in `top1`, `top5` or
/// `accuracy`, whatever stands before: `loss`, `validationLoss`, `validation.top1`.
/// - Throws: `ArchiveError` for a file that cannot be read.
public func renderCurves(metricsFile: String) throws -> String {
  renderCurves(try MetricsHistory(file: metricsFile))
}

/// The same of metrics already read.
public func renderCurves(_ history: MetricsHistory) -> String {
  let axis = history.records.contains { $0["epoch"] != nil } ? "epoch" : "step"
  func curves(endingIn ends: [String], scale: (Double) -> Double = { _ in 1 }) -> [LineChart.Curve]
  {
    let names = history.names.filter { name in
      ends.contains { name.lowercased().hasSuffix($0) }
    }
    let ordered =
      names.filter { !$0.contains("alidation") } + names.filter { $0.contains("alidation") }
    return ordered.map { name in
      let points = history.points(name, against: axis)
      let factor = scale(points.map(\.y).max() ?? 0)
      return LineChart.Curve(readable(name), points.map { ($0.x, $0.y * factor) })
    }
  }
  let losses = LineChart(
    title: "Loss", horizontal: axis, vertical: "loss", curves: curves(endingIn: ["loss"]))
  let accuracies = LineChart(
    title: "Accuracy", horizontal: axis, vertical: "correct (%)",
    curves: curves(endingIn: ["top1", "top5", "accuracy"]) { $0 <= 1 ? 100 : 1 })
  return LineChart.document([losses, accuracies].filter { !$0.curves.isEmpty })
}

/// `validationTop1` as `validation top-1`, `loss` as `training loss`.
func readable(_ name: String) -> String {
  if name == "loss" { return "training loss" }
  var words = ""
  for character in name {
    if character.isUppercase { words += " " }
    words += character == "." || character == "_" || character == "/" ? " " : character.lowercased()
  }
  return words.replacingOccurrences(of: "top1", with: "top-1")
    .replacingOccurrences(of: "top5", with: "top-5")
}
