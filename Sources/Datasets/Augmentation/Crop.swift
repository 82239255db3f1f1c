import Configuration
import Glibc
import Tensors

/// How the training crop is chosen.
public struct CropOptions: Configurable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// The whole image: its shorter side is resized to the image size and its middle cut out.
    case none
    /// A random part of random area and shape, resized (Szegedy et al., 2015).
    case randomResized
    /// The image at its size with a black border, cut at a random place: for small images.
    case padded
  }

  public var kind = Kind.none
  /// Range of the part's area, as a fraction of the image's.
  public var scaleMin = 0.08
  public var scaleMax = 1.0
  /// Range of width / height of the part.
  public var ratioMin = 3.0 / 4
  public var ratioMax = 4.0 / 3
  /// Width of the border of a padded crop in pixels.
  public var padding = 4

  public init() {}

  public func validate() throws {
    guard scaleMin > 0, scaleMin <= scaleMax, scaleMax <= 1 else {
      throw ConfigurationError(
        "scaleMin", "the range \(scaleMin)...\(scaleMax) is not in 0...1",
        remedy: "Give 0 < scaleMin <= scaleMax <= 1, such as 0.08 and 1")
    }
    guard ratioMin > 0, ratioMin <= ratioMax, ratioMax.isFinite else {
      throw ConfigurationError(
        "ratioMin", "the range \(ratioMin)...\(ratioMax) is empty",
        remedy: "Give 0 < ratioMin <= ratioMax, such as 0.75 and 1.3333")
    }
    guard (0...1024).contains(padding) else {
      throw ConfigurationError(
        "padding", "\(padding) is outside 0...1024",
        remedy: "Give the border in pixels, such as 4")
    }
  }

  /// Part of an image of `size` for a random resized crop; ten attempts, then the largest middle
  /// part whose shape is in range. Draws 0 to 3 of purpose `crop`, one step-word an attempt.
  package func randomResized(_ size: PixelSize, _ keys: SampleKeys) -> PixelBox {
    let (width, height) = (Double(size.width), Double(size.height))
    let (lowest, highest) = (log(ratioMin), log(ratioMax))
    for attempt in 0..<10 {
      let key = keys[.crop, attempt]
      let area = width * height * (scaleMin + (scaleMax - scaleMin) * key.uniform(0))
      let ratio = exp(lowest + (highest - lowest) * key.uniform(1))
      let w = Int((area * ratio).squareRoot().rounded(.toNearestOrEven))
      let h = Int((area / ratio).squareRoot().rounded(.toNearestOrEven))
      guard w > 0, h > 0, w <= size.width, h <= size.height else { continue }
      return PixelBox(
        left: key.below(size.width - w + 1, 3), top: key.below(size.height - h + 1, 2), width: w,
        height: h)
    }
    return middle(size)
  }

  private func middle(_ size: PixelSize) -> PixelBox {
    var (w, h) = (size.width, size.height)
    let ratio = Double(w) / Double(h)
    if ratio < ratioMin {
      h = Int((Double(w) / ratioMin).rounded(.toNearestOrEven))
    } else if ratio > ratioMax {
      w = Int((Double(h) * ratioMax).rounded(.toNearestOrEven))
    }
    return PixelBox(left: (size.width - w) / 2, top: (size.height - h) / 2, width: w, height: h)
  }
}

/// Copies `source` into `target`, shifted by up to `padding` pixels either way; black comes in at
/// the sides. Draws 2 and 3 of purpose `crop`.
package func paddedCrop(
  _ source: Picture, padding: Int, _ keys: SampleKeys, into target: Picture
) {
  let key = keys[.crop, 0]
  let top = key.below(2 * padding + 1, 2) - padding
  let left = key.below(2 * padding + 1, 3) - padding
  let (width, height, channels) = (source.width, source.height, source.channels)
  target.reshape(width: width, height: height, channels: channels)
  target.pointer.update(repeating: 0, count: target.count)
  let columns = max(0, width - abs(left)) * channels
  for y in max(0, -top)..<max(max(0, -top), min(height, height - top)) {
    let from = source.pointer + (y + top) * source.rowBytes + max(0, left) * channels
    let to = target.pointer + y * target.rowBytes + max(0, -left) * channels
    to.update(from: from, count: columns)
  }
}
