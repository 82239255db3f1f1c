import Configuration
import Tensors

/// RVT's patch-wise augmentation (Mao et al., 2022): every patch is by itself cropped, made noisy
/// and flipped, so that a model cannot lean on what lies within one.
public struct PatchAugmentationOptions: Configurable {
  /// Of each of the three operations, for each patch; RVT: 0.1.
  public var probability = 0.0
  /// Side of a patch in pixels.
  public var patchSize = 16
  /// Least area of a crop, as a fraction of the patch's.
  public var scaleMin = 0.85
  /// Deviation of the noise, after the model's normalisation.
  public var noise = 0.01

  public init() {}

  public func validate() throws {
    try requireProbability(probability, "probability")
    guard (1...1024).contains(patchSize) else {
      throw ConfigurationError(
        "patchSize", "\(patchSize) is outside 1...1024",
        remedy: "Give the side of a patch in pixels, such as 16")
    }
    guard scaleMin > 0, scaleMin <= 1 else {
      throw ConfigurationError(
        "scaleMin", "\(scaleMin) is outside 0...1",
        remedy: "Give a number above 0 and up to 1, such as 0.85")
    }
    guard noise >= 0, noise.isFinite else {
      throw ConfigurationError(
        "noise", "\(noise) is no deviation", remedy: "Give 0 or more, such as 0.01")
    }
  }

  /// Changes the whole patches of `planes` (`[channels, height, width]`), then cuts all pixels off
  /// at 0 and 1.
  ///
  /// Draws of purpose `patchAugmentation`, one step-word a patch: 0 coin, 1 area, 2 top and 3 left
  /// of the crop; 4 coin of the noise, which starts at 16; 5 coin of the flip.
  package func apply(
    to planes: UnsafeMutablePointer<Float>, channels: Int, size: PixelSize, _ keys: SampleKeys,
    _ statistics: PixelStatistics
  ) {
    guard probability > 0 else { return }
    let (rows, columns) = (size.height / patchSize, size.width / patchSize)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: patchSize * patchSize) { scratch in
      for patch in 0..<rows * columns {
        let key = keys[.patchAugmentation, patch]
        let first = patch / columns * patchSize * size.width + patch % columns * patchSize
        for channel in 0..<channels {
          let plane = PatchPlane(
            pixels: planes + channel * size.height * size.width + first, stride: size.width,
            side: patchSize)
          if key.uniform(0) < probability { crop(plane, key, scratch.baseAddress!) }
          if key.uniform(4) < probability {
            plane.addNoise(
              key, from: 16 + channel * patchSize * patchSize,
              deviation: Float(noise) * statistics.std[channel])
          }
          if key.uniform(5) < probability { plane.flip() }
        }
      }
    }
    for i in 0..<channels * size.height * size.width { planes[i] = min(max(planes[i], 0), 1) }
  }

  private func crop(_ plane: PatchPlane, _ key: RandomKey, _ scratch: UnsafeMutablePointer<Float>) {
    let scale = scaleMin + (1 - scaleMin) * key.uniform(1)
    let side = Int((Double(patchSize) * scale.squareRoot()).rounded(.toNearestOrEven))
    let kept = min(max(side, 1), patchSize)
    plane.crop(
      top: key.below(patchSize - kept + 1, 2), left: key.below(patchSize - kept + 1, 3),
      side: kept, scratch)
  }
}

/// One colour of one patch.
private struct PatchPlane {
  let pixels: UnsafeMutablePointer<Float>
  /// From one line to the next.
  let stride: Int
  let side: Int

  /// The square of `kept` pixels, brought back to the whole side by linear interpolation.
  func crop(top: Int, left: Int, side kept: Int, _ scratch: UnsafeMutablePointer<Float>) {
    guard kept < side else { return }
    for y in 0..<side {
      let down = tap(y, top, kept)
      let (upper, lower) = (pixels + down.low * stride, pixels + down.high * stride)
      for x in 0..<side {
        let across = tap(x, left, kept)
        let above = upper[across.low] + across.share * (upper[across.high] - upper[across.low])
        let below = lower[across.low] + across.share * (lower[across.high] - lower[across.low])
        scratch[y * side + x] = above + down.share * (below - above)
      }
    }
    for y in 0..<side { (pixels + y * stride).update(from: scratch + y * side, count: side) }
  }

  /// The two pixels between which a centre falls, and the second one's share.
  private func tap(
    _ index: Int, _ first: Int, _ kept: Int
  ) -> (low: Int, high: Int, share: Float) {
    let place = (Float(index) + 0.5) * Float(kept) / Float(side) - 0.5
    let low = max(Int(place.rounded(.down)), 0)
    return (first + low, first + min(low + 1, kept - 1), max(place - Float(low), 0))
  }

  func addNoise(_ key: RandomKey, from element: Int, deviation: Float) {
    for y in 0..<side {
      for x in 0..<side {
        pixels[y * stride + x] += deviation * Float(key.normal(element + y * side + x))
      }
    }
  }

  func flip() {
    for y in 0..<side {
      let line = pixels + y * stride
      for x in 0..<side / 2 {
        (line[x], line[side - 1 - x]) = (line[side - 1 - x], line[x])
      }
    }
  }
}
