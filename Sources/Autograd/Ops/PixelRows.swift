import Tensors

extension Context {
  /// Images as rows of normalised channels, one row a pixel: what convolutions take.
  ///
  /// - Parameter images: `[batch, channels, side, side]` in pixels.
  /// - Returns: `[batch, side², channels]`, (pixel - mean) / deviation
  public func pixelRows(_ images: Variable, mean: [Float], deviation: [Float]) -> Variable {
    let (batch, channels) = (images.shape[0], images.shape[1])
    let pixels = images.shape[2] * images.shape[3]
    precondition(mean.count == channels, "\(mean.count) means for \(channels) channels")
    let rows = Tensor([batch, pixels, channels], from: pool)
    ChannelOrder.rows(
      of: images.tensor.pointer, count: batch, pixels: pixels, mean: mean, deviation: deviation,
      into: rows.pointer)

    let edge = images.edge
    return record("pixelRows", rows, from: [images]) { d, tape in
      let dImages = Tensor(edge.shape, from: tape.pool)
      ChannelOrder.images(
        of: d.pointer, count: batch, pixels: pixels, deviation: deviation, into: dImages.pointer)
      tape.give(dImages, to: edge)
    }
  }
}
