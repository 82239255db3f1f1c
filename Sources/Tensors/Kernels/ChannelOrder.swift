/// Changes between the orders in which images and weights are stored and in which they are computed.
public enum ChannelOrder {
  /// Images `[count, channels, pixels]` to normalised rows `[count, pixels, channels]`:
  /// (x - mean) / deviation.
  public static func rows(
    of images: UnsafePointer<Float>, count: Int, pixels: Int, mean: [Float], deviation: [Float],
    into rows: UnsafeMutablePointer<Float>
  ) {
    let channels = mean.count
    for image in 0..<count {
      for channel in 0..<channels {
        let plane = images + (image * channels + channel) * pixels
        let out = rows + image * channels * pixels + channel
        let factor = 1 / deviation[channel]
        let offset = -mean[channel] * factor
        for i in 0..<pixels { out[i * channels] = offset.addingProduct(plane[i], factor) }
      }
    }
  }

  /// The gradient of `rows`: images ← rows / deviation.
  public static func images(
    of rows: UnsafePointer<Float>, count: Int, pixels: Int, deviation: [Float],
    into images: UnsafeMutablePointer<Float>
  ) {
    let channels = deviation.count
    for image in 0..<count {
      for channel in 0..<channels {
        let plane = images + (image * channels + channel) * pixels
        let source = rows + image * channels * pixels + channel
        let factor = 1 / deviation[channel]
        for i in 0..<pixels { plane[i] = source[i * channels] * factor }
      }
    }
  }

  /// Weights `[outputs, channels, taps]` to `[outputs, taps, channels]`.
  public static func tapsFirst(
    _ weight: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    for output in 0..<outputs {
      let (from, to) = (weight + output * channels * taps, result + output * channels * taps)
      for tap in 0..<taps {
        for channel in 0..<channels { to[tap * channels + channel] = from[channel * taps + tap] }
      }
    }
  }

  /// The transpose of `tapsFirst`, added to what is there: how a weight's gradient comes home.
  public static func addTapsLast(
    _ gradient: UnsafePointer<Float>, outputs: Int, channels: Int, taps: Int,
    to weight: UnsafeMutablePointer<Float>
  ) {
    for output in 0..<outputs {
      let (from, to) = (gradient + output * channels * taps, weight + output * channels * taps)
      for tap in 0..<taps {
        for channel in 0..<channels { to[channel * taps + tap] += from[tap * channels + channel] }
      }
    }
  }

  /// Every channel `times` times in a row: `[rows, channels]` to `[rows, channels · times]`.
  public static func repeatChannels(
    _ x: UnsafePointer<Float>, count: Int, times: Int, into y: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { for j in 0..<times { y[i * times + j] = x[i] } }
  }

  /// The transpose of `repeatChannels`, written or added.
  public static func sumRepeated(
    _ y: UnsafePointer<Float>, count: Int, times: Int, into x: UnsafeMutablePointer<Float>,
    adding: Bool
  ) {
    for i in 0..<count {
      var sum = adding ? x[i] : 0
      for j in 0..<times { sum += y[i * times + j] }
      x[i] = sum
    }
  }
}
