/// Cutting images into patches, and its transpose.
///
/// Images are `[count, channels, side, side]`; patches are rows `[count · grid², channels · patch²]`,
/// patch p = row · grid + column, each ordered (channel, row, column) like timm's weight
/// `patch_embed.proj.weight`. The pixel normalisation (x - mean) / deviation rides along.
public struct PatchGrid: Sendable, Equatable {
  public let channels: Int
  public let side: Int
  public let patch: Int

  public init(channels: Int, side: Int, patch: Int) {
    precondition(side % patch == 0, "patch \(patch) does not divide \(side)")
    self.channels = channels
    self.side = side
    self.patch = patch
  }

  public var grid: Int { side / patch }
  /// Patches of one image.
  public var patches: Int { grid * grid }
  /// Values of one patch.
  public var width: Int { channels * patch * patch }

  /// rows ← (pixels - mean) / deviation
  public func cut(
    _ images: UnsafePointer<Float>, count: Int, mean: [Float], deviation: [Float],
    into rows: UnsafeMutablePointer<Float>
  ) {
    forEachStrip(count) { channel, pixel, entry in
      let factor = 1 / deviation[channel]
      let offset = -mean[channel] * factor
      for i in 0..<patch { rows[entry + i] = offset.addingProduct(images[pixel + i], factor) }
    }
  }

  /// pixels ← rows / deviation: the gradient of `cut`.
  public func assemble(
    _ rows: UnsafePointer<Float>, count: Int, deviation: [Float],
    into images: UnsafeMutablePointer<Float>
  ) {
    forEachStrip(count) { channel, pixel, entry in
      let factor = 1 / deviation[channel]
      for i in 0..<patch { images[pixel + i] = rows[entry + i] * factor }
    }
  }

  /// Visits every pixel row of every patch: the patch's number over all images, and the first pixel.
  @inline(__always) package func forEachPatchLine(_ count: Int, _ body: (Int, Int) -> Void) {
    for image in 0..<count {
      for channel in 0..<channels {
        for y in 0..<side {
          let line = ((image * channels + channel) * side + y) * side
          let first = image * patches + y / patch * grid
          for column in 0..<grid { body(first + column, line + column * patch) }
        }
      }
    }
  }

  /// Visits every row of every patch: its channel, its first pixel, its place in the patch matrix.
  @inline(__always) private func forEachStrip(_ count: Int, _ body: (Int, Int, Int) -> Void) {
    for image in 0..<count {
      for channel in 0..<channels {
        for y in 0..<side {
          let line = ((image * channels + channel) * side + y) * side
          let first = (image * patches + y / patch * grid) * width
          let within = (channel * patch + y % patch) * patch
          for column in 0..<grid {
            body(channel, line + column * patch, first + column * width + within)
          }
        }
      }
    }
  }
}
