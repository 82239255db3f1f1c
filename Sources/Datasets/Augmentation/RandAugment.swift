import Configuration
import Glibc
import Tensors

/// RandAugment (Cubuk et al., 2020) in timm's "increasing" form; DeiT's `rand-m9-mstd0.5-inc1` is
/// two layers with the other defaults.
public struct RandAugmentOptions: Configurable {
  /// Operations drawn for every image, with replacement; 0 turns it off, DeiT has 2.
  public var layers = 0
  /// Probability that a drawn operation is applied.
  public var probability = 0.5
  /// Mean magnitude on a scale of 0...10.
  public var magnitude = 9.0
  /// Standard deviation of the magnitude, which is cut to 0...10.
  public var magnitudeDeviation = 0.5

  public init() {}

  public func validate() throws {
    guard (0...15).contains(layers) else {
      throw ConfigurationError(
        "layers", "\(layers) is outside 0...15",
        remedy: "Give 0 to turn it off, or 2 as in DeiT")
    }
    try requireProbability(probability, "probability")
    guard (0...10).contains(magnitude) else {
      throw ConfigurationError(
        "magnitude", "\(magnitude) is outside 0...10",
        remedy: "Give a number from 0 to 10, such as 9")
    }
    guard magnitudeDeviation >= 0, magnitudeDeviation.isFinite else {
      throw ConfigurationError(
        "magnitudeDeviation",
        "\(magnitudeDeviation) is not a standard deviation", remedy: "Give 0 or more, such as 0.5")
    }
  }

  /// Applies the drawn operations to `picture`. Draws of purpose `randAugment`, one step-word a
  /// layer: 0 operation, 1 coin, 2 and 3 magnitude, 4 sign.
  package func apply(
    to picture: inout Picture, _ keys: SampleKeys, fill: SIMD4<UInt8>, scratch: inout Picture
  ) {
    for layer in 0..<layers {
      let key = keys[.randAugment, layer]
      let operation = RandAugmentOperation.allCases[key.below(15, 0)]
      guard key.uniform(1) < probability else { continue }
      let drawn = magnitude + magnitudeDeviation * key.normal(2)
      operation.apply(
        to: &picture, magnitude: min(max(drawn, 0), 10), negated: key.uniform(4) < 0.5,
        fill: fill, scratch: &scratch)
    }
  }
}

/// The fifteen operations, in timm's order.
package enum RandAugmentOperation: CaseIterable, Sendable {
  case autoContrast, equalize, invert, rotate, posterize, solarize, solarizeAdd
  case color, contrast, brightness, sharpness
  case shearX, shearY, translateX, translateY

  /// - Parameters:
  ///   - magnitude: 0...10.
  ///   - negated: whether an argument with a sign takes its negative.
  package func apply(
    to picture: inout Picture, magnitude: Double, negated: Bool, fill: SIMD4<UInt8>,
    scratch: inout Picture
  ) {
    let level = magnitude / 10
    let signed = negated ? -level : level
    let factor = Float(max(0.1, 1 + signed * 0.9))
    switch self {
    case .autoContrast: LookupOperations.autoContrast(picture)
    case .equalize: LookupOperations.equalize(picture)
    case .invert: LookupOperations.invert(picture)
    case .posterize: LookupOperations.posterize(picture, bits: 4 - Int(level * 4))
    case .solarize:
      LookupOperations.solarize(picture, threshold: 256 - min(256, Int(level * 256)))
    case .solarizeAdd:
      LookupOperations.solarizeAdd(picture, amount: min(128, Int(level * 110)))
    case .color: BlendOperations.color(picture, factor)
    case .contrast: BlendOperations.contrast(picture, factor)
    case .brightness: BlendOperations.brightness(picture, factor)
    case .sharpness: BlendOperations.sharpness(picture, factor, scratch: scratch)
    case .rotate, .shearX, .shearY, .translateX, .translateY:
      guard let map = transform(of: picture, signed) else { return }
      map.apply(picture, fill: fill, into: scratch)
      swap(&picture, &scratch)
    }
  }

  /// The map of a geometric operation; nil where it moves nothing.
  private func transform(of picture: Picture, _ level: Double) -> AffineTransform? {
    let (width, height) = (Double(picture.width), Double(picture.height))
    switch self {
    case .rotate: return Self.rotation(degrees: level * 30, width: width, height: height)
    case .shearX: return AffineTransform(1, level * 0.3, 0, 0, 1, 0)
    case .shearY: return AffineTransform(1, 0, 0, level * 0.3, 1, 0)
    case .translateX: return AffineTransform(1, 0, level * 0.45 * width, 0, 1, 0)
    case .translateY: return AffineTransform(1, 0, 0, 0, 1, level * 0.45 * height)
    default: return nil
    }
  }

  /// Counter-clockwise about the middle. Pillow rounds sine and cosine to fifteen decimals.
  private static func rotation(
    degrees: Double, width: Double, height: Double
  ) -> AffineTransform? {
    let positive = degrees < 0 ? degrees + 360 : degrees
    guard positive != 0 else { return nil }
    let angle = -(positive * (Double.pi / 180))
    let (cosine, sine) = (rounded15(cos(angle)), rounded15(sin(angle)))
    let (x, y) = (width / 2, height / 2)
    return AffineTransform(
      cosine, sine, cosine * -x + sine * -y + 0 + x, -sine, cosine,
      -sine * -x + cosine * -y + 0 + y)
  }

  private static func rounded15(_ value: Double) -> Double {
    (value * 1e15).rounded(.toNearestOrEven) / 1e15
  }
}
