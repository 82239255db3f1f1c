import Networks
import Tensors

/// What stands in place of an occluded patch: uniform noise, drawn for every pixel and channel.
public enum OcclusionNoise: String, Codable, Sendable {
  /// U[0,1) after normalisation, as RSPC's code draws it: in pixels from the mean of a channel to one
  /// deviation above, at most 1.
  case normalized
  /// U[0,1) of pixels.
  case pixel

  /// Noise of the shape of `images`, `[batch, channels, side, side]`, in pixels.
  ///
  /// - Parameter key: the stream of each image.
  public func tensor(
    like images: Tensor, _ image: ClassifierDescription, key: (_ row: Int) -> RandomKey,
    pool: BufferPool
  ) -> Tensor {
    let noise = Tensor(images.shape, from: pool)
    let plane = image.side * image.side
    for row in 0..<images.shape[0] {
      let key = key(row)
      for channel in 0..<image.channels {
        let start = noise.pointer + (row * image.channels + channel) * plane
        let (low, span): (Float, Float) =
          self == .pixel ? (0, 1) : (image.mean[channel], image.deviation[channel])
        for i in 0..<plane {
          start[i] = min(1, low + span * key.uniformFloat(channel * plane + i))
        }
      }
    }
    return noise
  }
}
