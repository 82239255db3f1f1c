import Foundation

/// The curves of a run as an SVG picture: losses and, if there are any, accuracies and what attention
/// looks like layer by layer, against epochs (steps, where the file has no epochs).
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
  let attention = [
    ("Sparsity of attention", "Hoyer", "attention.hoyer."),
    ("Attention kept under occlusion", "cosine", "attention.stability."),
  ].map { title, vertical, prefix in
    LineChart(
      title: title, horizontal: axis, vertical: vertical,
      curves: layers(history, prefix, against: axis))
  }
  return LineChart.document(([losses, accuracies] + attention).filter { !$0.curves.isEmpty })
}

/// A curve a layer, in the order of the layers.
private func layers(
  _ history: MetricsHistory, _ prefix: String, against axis: String
) -> [LineChart.Curve] {
  history.names.compactMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }
    .sorted().map { LineChart.Curve("\($0)", history.points("\(prefix)\($0)", against: axis)) }
}

/// One figure of several runs on one pair of axes: `attention.hoyer` of a plain and of a sparse model.
///
/// - Parameter runs: each with the name that the legend gives it.
public func compareRuns(
  _ runs: [(name: String, history: MetricsHistory)], figure: String
) -> String {
  let curves = runs.map { run in
    let axis = run.history.records.contains { $0["epoch"] != nil } ? "epoch" : "step"
    return LineChart.Curve(run.name, run.history.points(figure, against: axis))
  }
  return LineChart(title: readable(figure), horizontal: "epoch", vertical: figure, curves: curves)
    .svg
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
