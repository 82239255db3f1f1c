/// Which patches are occluded, given their scores: the lowest.
public enum MaskSelection: String, Codable, Sendable {
  /// Exactly round(ρN) patches, the lower index first among equal scores.
  case topk
  /// Every patch whose score is at most the linearly interpolated quantile at ρ mod 1, as the
  /// published code does: floor(ρ(N - 1)) + 1 of distinct scores, all of equal ones, and ρ = 1 is as
  /// ρ = 0.
  case official

  /// Writes 0 for the patches to occlude and 1 for the others; returns how many are occluded.
  package func mask(
    _ scores: UnsafeBufferPointer<Float>, rho: Double, into mask: UnsafeMutablePointer<Float>
  ) -> Int {
    switch self {
    case .topk:
      let count = min(scores.count, Int((rho * Double(scores.count)).rounded()))
      let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
      for (place, index) in order.enumerated() { mask[index] = place < count ? 0 : 1 }
      return count
    case .official:
      let bound = Self.quantile(scores, rho.truncatingRemainder(dividingBy: 1))
      var count = 0
      for (index, score) in scores.enumerated() {
        mask[index] = score > bound ? 1 : 0
        if score <= bound { count += 1 }
      }
      return count
    }
  }

  private static func quantile(_ values: UnsafeBufferPointer<Float>, _ level: Double) -> Float {
    let sorted = values.sorted()
    let place = level * Double(sorted.count - 1)
    let low = Int(place)
    let high = min(low + 1, sorted.count - 1)
    return sorted[low] + Float(place - Double(low)) * (sorted[high] - sorted[low])
  }
}
