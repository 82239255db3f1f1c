/// How resizing weighs the pixels around a place; both widen when an image is made smaller, so that
/// every source pixel counts (anti-aliasing).
public enum Interpolation: String, Codable, Sendable, CaseIterable {
  /// Triangle of half-width 1.
  case bilinear
  /// Keys' cubic with a = -0.5, half-width 2.
  case bicubic

  var support: Double { self == .bilinear ? 1 : 2 }

  func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .bilinear: return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
      return 0
    }
  }
}
