import Foundation

/// A linear axis: a range of values and round numbers on it.
struct Axis {
  let range: ClosedRange<Double>
  let ticks: [Double]
  private let decimals: Int

  /// An axis that holds all values and whose ends are ticks, about `count` steps of 1, 2 or 5 times
  /// a power of ten apart.
  init(holding values: [Double], ticks count: Int) {
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    if high - low <= abs(high) * 1e-9 {
      low -= max(abs(low) * 0.1, 0.5)
      high += max(abs(high) * 0.1, 0.5)
    }
    let step = Self.round((high - low) / Double(count))
    let first = Int((low / step + 1e-9).rounded(.down))
    let last = Int((high / step - 1e-9).rounded(.up))
    ticks = (first...max(first + 1, last)).map { Double($0) * step }
    range = ticks[0]...ticks[ticks.count - 1]
    decimals = max(0, -Int((log10(step) + 1e-9).rounded(.down)))
  }

  /// 0 at the low end, 1 at the high end.
  func position(_ value: Double) -> Double {
    (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// All ticks with the same number of decimals; thousands as `20k`, tiny ones with an exponent.
  func label(_ tick: Double) -> String {
    if tick == 0 { return "0" }
    if decimals > 4 { return String(format: "%.1e", tick) }
    if decimals == 0, ticks.allSatisfy({ $0.truncatingRemainder(dividingBy: 1000) == 0 }) {
      return String(format: "%gk", tick / 1000)
    }
    return String(format: "%.\(decimals)f", tick)
  }

  private static func round(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    let factor = step / power
    return power * (factor <= 1.0001 ? 1 : factor <= 2.0001 ? 2 : factor <= 5.0001 ? 5 : 10)
  }
}
