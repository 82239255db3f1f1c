/// Carries a learned position embedding to another grid of patches.
public enum PositionInterpolation: String, Codable, Sendable {
  /// timm since December 2022: cubic kernel a = -0.5, widened when shrinking, renormalised at borders.
  case antialiased
  /// The DeiT script: cubic kernel a = -0.75, four taps, edges repeated.
  case deit

  /// - Parameters:
  ///   - rows: `[prefix + from², width]`; the prefix rows are kept.
  /// - Returns: `[prefix + to², width]`
  public func resize(_ rows: [Float], prefix: Int, from: Int, to: Int, width: Int) -> [Float] {
    precondition(rows.count == (prefix + from * from) * width, "\(rows.count) values")
    let taps = (0..<to).map { self.taps($0, from: from, to: to) }
    let kept = rows[..<(prefix * width)]
    let grid = Array(rows[(prefix * width)...])

    // Columns first, then rows: the kernel is separable.
    var narrow = [Double](repeating: 0, count: from * to * width)
    for y in 0..<from {
      for (x, taps) in taps.enumerated() {
        for (source, weight) in taps {
          for c in 0..<width {
            narrow[(y * to + x) * width + c] +=
              weight * Double(grid[(y * from + source) * width + c])
          }
        }
      }
    }
    var result = [Double](repeating: 0, count: to * to * width)
    for (y, taps) in taps.enumerated() {
      for (source, weight) in taps {
        for i in 0..<to * width {
          result[y * to * width + i] += weight * narrow[source * to * width + i]
        }
      }
    }
    return kept + result.map { Float($0) }
  }

  /// Sources and weights of output `index`, with half-pixel centres.
  private func taps(_ index: Int, from: Int, to: Int) -> [(source: Int, weight: Double)] {
    let scale = Double(from) / Double(to)
    let centre = (Double(index) + 0.5) * scale
    switch self {
    case .deit:
      let first = Int((centre - 0.5).rounded(.down)) - 1
      return (first..<first + 4).map { tap in
        (min(max(tap, 0), from - 1), Self.cubic(centre - 0.5 - Double(tap), a: -0.75))
      }
    case .antialiased:
      let stretch = max(scale, 1)
      let low = max(Int((centre - 2 * stretch + 0.5).rounded(.towardZero)), 0)
      let high = min(Int((centre + 2 * stretch + 0.5).rounded(.towardZero)), from)
      let weights = (low..<high).map { Self.cubic((Double($0) + 0.5 - centre) / stretch, a: -0.5) }
      let total = weights.reduce(0, +)
      return zip(low..<high, weights).map { ($0, $1 / total) }
    }
  }

  /// Keys' cubic convolution kernel.
  private static func cubic(_ distance: Double, a: Double) -> Double {
    let t = abs(distance)
    if t < 1 { return ((a + 2) * t - (a + 3)) * t * t + 1 }
    if t < 2 { return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a }
    return 0
  }
}
