import Foundation

/// What a run came to, in a few lines of plain text: where it stands, the last and the best value of
/// each loss and accuracy with its epoch, the speed.
public func summary(_ history: MetricsHistory) -> String {
  guard let last = history.records.last else { return "No steps are recorded.\n" }
  var lines = "Recorded \(history.records.count) lines"
  if let step = last["step"] { lines += ", up to step \(Int(step))" }
  if let epoch = last["epoch"] { lines += String(format: " (epoch %.2f)", epoch) }
  lines += ".\n"
  if let speed = median(history.records.compactMap { $0["imagesPerSecond"] }) {
    lines += String(format: "Speed: %.1f images a second (median of the lines).\n", speed)
  }
  let axis = history.records.contains { $0["epoch"] != nil } ? "epoch" : "step"
  var table = TextTable(["metric", "last", "best", "best at \(axis)"])
  for name in history.names {
    let isLoss = name.lowercased().hasSuffix("loss")
    let isAccuracy = ["top1", "top5", "accuracy"].contains { name.lowercased().hasSuffix($0) }
    let points = history.points(name, against: axis)
    guard isLoss || isAccuracy, let final = points.last,
      let best = isLoss ? points.min(by: { $0.y < $1.y }) : points.max(by: { $0.y < $1.y })
    else { continue }
    table.append([
      readable(name), String(format: "%.4f", final.y), String(format: "%.4f", best.y),
      String(format: "%g", best.x),
    ])
  }
  return lines + "\n" + table.text
}

private func median(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.sorted()[values.count / 2]
}
