import Configuration

/// How pixels are normalised before a network sees them.
enum PixelNormalization {
  /// What is given; if nothing is, ImageNet's for three channels and one half otherwise.
  static func inForce(
    mean: [Float], deviation: [Float], channels: Int
  ) -> (mean: [Float], deviation: [Float]) {
    if !mean.isEmpty { return (mean, deviation) }
    if channels == 3 { return ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) }
    return (Array(repeating: 0.5, count: channels), Array(repeating: 0.5, count: channels))
  }

  /// Throws unless both have one number per channel, or none.
  static func check(mean: [Float], deviation: [Float], channels: Int) throws {
    if mean.count != deviation.count || (!mean.isEmpty && mean.count != channels) {
      throw ConfigurationError(
        "mean", "\(mean.count) means and \(deviation.count) deviations for \(channels) channels",
        remedy: "Give mean and deviation one number per channel, or neither")
    }
    if let bad = deviation.first(where: { !($0 > 0) }) {
      throw ConfigurationError("deviation", "contains \(bad)", remedy: "Give positive numbers")
    }
  }
}
