import Configuration
import Glibc
import Tensors

/// Random erasing (Zhong et al., 2020) in timm's mode "pixel": a rectangle becomes noise.
public struct RandomErasingOptions: Configurable {
  public var probability = 0.0
  /// Range of the rectangle's area, as a fraction of the image's.
  public var areaMin = 0.02
  public var areaMax = 1.0 / 3
  /// Height / width lies in ratioMin...1 / ratioMin.
  public var ratioMin = 0.3

  public init() {}

  public func validate() throws {
    try requireProbability(probability, "probability")
    guard areaMin > 0, areaMin <= areaMax, areaMax <= 1 else {
      throw ConfigurationError(
        "areaMin",
        "the range \(areaMin)...\(areaMax) is not in 0...1",
        remedy: "Give 0 < areaMin <= areaMax <= 1, such as 0.02 and 0.3333")
    }
    guard ratioMin > 0, ratioMin <= 1 else {
      throw ConfigurationError(
        "ratioMin", "\(ratioMin) is outside 0...1",
        remedy: "Give a number above 0 and up to 1, such as 0.3")
    }
  }

  /// Erases a part of `planes` (`[channels, height, width]`, 0...1). The noise is N(0, 1) after the
  /// model's normalisation, so here it is mean + std N(0, 1), and may leave 0...1.
  ///
  /// Draws of purpose `erasingBox`: 0 coin, 1 area, 2 log-ratio, 3 top, 4 left, one step-word an
  /// attempt; of `erasingNoise`: the flat index within the rectangle.
  package func apply(
    to planes: UnsafeMutablePointer<Float>, channels: Int, size: PixelSize, _ keys: SampleKeys,
    _ statistics: PixelStatistics
  ) {
    guard probability > 0, keys[.erasingBox, 0].uniform(0) < probability,
      let box = box(in: size, keys)
    else { return }
    let key = keys[.erasingNoise, 0]
    var element = 0
    for channel in 0..<channels {
      let (mean, std) = (statistics.mean[channel], statistics.std[channel])
      for y in box.top..<box.bottom {
        let row = planes + (channel * size.height + y) * size.width
        for x in box.left..<box.right {
          row[x] = mean + std * Float(key.normal(element))
          element += 1
        }
      }
    }
  }

  package func box(in size: PixelSize, _ keys: SampleKeys) -> PixelBox? {
    let (low, high) = (log(ratioMin), log(1 / ratioMin))
    for attempt in 0..<10 {
      let key = keys[.erasingBox, attempt]
      let area = (areaMin + (areaMax - areaMin) * key.uniform(1)) * Double(size.width * size.height)
      let ratio = exp(low + (high - low) * key.uniform(2))
      let h = Int((area * ratio).squareRoot().rounded(.toNearestOrEven))
      let w = Int((area / ratio).squareRoot().rounded(.toNearestOrEven))
      guard h < size.height, w < size.width else { continue }
      return PixelBox(
        left: key.below(size.width - w + 1, 4), top: key.below(size.height - h + 1, 3), width: w,
        height: h)
    }
    return nil
  }
}

/// Mean and standard deviation of the pixels of each channel, in 0...1: what the model normalises
/// by.
public struct PixelStatistics: Sendable, Equatable {
  public var mean: [Float]
  public var std: [Float]

  public init(mean: [Float], std: [Float]) {
    precondition(mean.count == std.count, "\(mean.count) means, \(std.count) deviations")
    (self.mean, self.std) = (mean, std)
  }

  /// ImageNet's, for three channels.
  public static let imageNet = PixelStatistics(
    mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

  /// The mean as bytes: the colour of what a geometric operation brings in from outside.
  package var fill: SIMD4<UInt8> {
    func byte(_ channel: Int) -> UInt8 {
      UInt8(min(max((255 * mean[min(channel, mean.count - 1)]).rounded(.toNearestOrEven), 0), 255))
    }
    return SIMD4(byte(0), byte(1), byte(2), 0)
  }
}
