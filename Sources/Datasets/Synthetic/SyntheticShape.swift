import Glibc

/// The classes of the embedded data set, as signed distances: negative inside, in units in which the
/// shape fills about the unit disc.
enum SyntheticShape: String, CaseIterable, Sendable {
  case disc, ring, square, triangle, cross, star, stripes, checkerboard, dots, spiral

  /// Distance of the place (u, v) from the edge; near the edge to first order.
  @inline(__always)
  func distance(_ u: Float, _ v: Float) -> Float {
    let radius = (u * u + v * v).squareRoot()
    switch self {
    case .disc: return radius - 0.85
    case .ring: return abs(radius - 0.72) - 0.2
    case .square: return max(abs(u), abs(v)) - 0.72
    case .triangle:
      return max(-v, 0.8660254 * abs(u) + 0.5 * v) - 0.5
    case .cross: return Self.cross(abs(u), abs(v))
    case .star: return Self.star(abs(u), v)
    case .stripes: return max(radius - 1, Self.wave(u))
    case .checkerboard:
      let (x, y) = (Self.wave(u), Self.wave(v))
      return max(max(abs(u), abs(v)) - 0.84, x * y > 0 ? -min(abs(x), abs(y)) : min(abs(x), abs(y)))
    case .dots: return max(radius - 1.1, Self.dots(u, v))
    case .spiral: return max(radius - 1, Self.spiral(radius, u, v))
    }
  }

  private static func cross(_ u: Float, _ v: Float) -> Float {
    let (long, short) = (max(u, v), min(u, v))
    return max(long - 0.95, short - 0.26)
  }

  /// Five points: the edge from a tip to its notch, folded to one tenth of the circle.
  private static func star(_ u: Float, _ v: Float) -> Float {
    let sector: Float = 2 * .pi / 5
    let angle = atan2f(u, v)
    let folded = abs(angle - sector * (angle / sector).rounded())
    let radius = (u * u + v * v).squareRoot()
    let (x, y) = (radius * sinf(folded), radius * cosf(folded))
    let (tip, notchX, notchY): (Float, Float, Float) = (1, 0.42 * 0.58778525, 0.42 * 0.809017)
    let (dx, dy) = (notchX, notchY - tip)
    return (x * -dy + (y - tip) * dx) / (dx * dx + dy * dy).squareRoot()
  }

  /// Triangle wave of period 0.56: distance from the nearest edge of bars of width 0.28.
  @inline(__always)
  private static func wave(_ u: Float) -> Float {
    let period: Float = 0.56
    let place = u / period
    return (abs(place - place.rounded()) - 0.25) * period
  }

  private static func dots(_ u: Float, _ v: Float) -> Float {
    let pitch: Float = 0.62
    let (x, y) = (u - pitch * (u / pitch).rounded(), v - pitch * (v / pitch).rounded())
    return (x * x + y * y).squareRoot() - 0.19
  }

  /// An arm of Archimedes' spiral, one turn every 0.5.
  private static func spiral(_ radius: Float, _ u: Float, _ v: Float) -> Float {
    let pitch: Float = 0.5
    let place = radius / pitch - atan2f(v, u) / (2 * .pi)
    return (abs(place - place.rounded()) - 0.25) * pitch
  }
}
