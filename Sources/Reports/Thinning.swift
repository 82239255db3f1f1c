/// The running mean over a fiftieth of the curve, centred; at the ends, over what part of the
/// window there is.
func smoothed(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
  let reach = max(1, points.count / 100)
  var sums = [0.0]
  for point in points { sums.append(sums[sums.count - 1] + point.y) }
  return points.indices.map { index in
    let window = max(0, index - reach)..<min(points.count, index + reach + 1)
    let sum = sums[window.upperBound] - sums[window.lowerBound]
    return (points[index].x, sum / Double(window.count))
  }
}

/// At most about `limit` points that look the same: of every run of points the lowest and the
/// highest, in their order.
func thinned(_ points: [(x: Double, y: Double)], to limit: Int = 1000) -> [(x: Double, y: Double)] {
  guard points.count > limit else { return points }
  let runs = limit / 2
  return (0..<runs).flatMap { run -> [(x: Double, y: Double)] in
    let range = points.count * run / runs..<points.count * (run + 1) / runs
    guard let low = range.min(by: { points[$0].y < points[$1].y }),
      let high = range.max(by: { points[$0].y < points[$1].y })
    else { return [] }
    return low == high ? [points[low]] : [points[min(low, high)], points[max(low, high)]]
  }
}
