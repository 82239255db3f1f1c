import Tensors

/// Mixes the samples of one virtual shard in place: sample j with sample g − 1 − j, both unmixed.
/// The middle sample of an odd group (the last, short batch of an epoch) is left as it is.
///
/// - Parameters:
///   - images: `[g, channels, height, width]`.
///   - group: step · V + shard.
///   - scratch: room for one image.
package func mix(
  _ images: Tensor, _ labels: inout [MixedLabel], _ options: AugmentationOptions, seed: UInt64,
  epoch: Int, group: Int, scratch: UnsafeMutablePointer<Float>
) {
  guard options.mixes, labels.count > 1 else { return }
  let count = labels.count
  let size = PixelSize(width: images.shape[3], height: images.shape[2])
  let stride = images.count / count
  func draw(_ part: Int) -> MixingDraw {
    MixingDraw(options, seed: seed, epoch: epoch, group: group, part: part, size: size)
  }
  let shared = draw(0)
  for first in 0..<(count / 2) {
    let second = count - 1 - first
    let (one, other) =
      switch options.mixing.mode {
      case .batch: (shared, shared)
      case .pair: (draw(1 + first), draw(1 + first))
      case .element: (draw(1 + first), draw(1 + second))
      }
    let (a, b) = (images.pointer + first * stride, images.pointer + second * stride)
    scratch.update(from: a, count: stride)
    blend(a, b, one, channels: images.shape[1], size)
    blend(b, scratch, other, channels: images.shape[1], size)
    let (label, partner) = (labels[first].label, labels[second].label)
    labels[first] = MixedLabel(label, partner: partner, weight: Float(one.weight(in: size)))
    labels[second] = MixedLabel(partner, partner: label, weight: Float(other.weight(in: size)))
  }
}

private func blend(
  _ image: UnsafeMutablePointer<Float>, _ partner: UnsafePointer<Float>, _ draw: MixingDraw,
  channels: Int, _ size: PixelSize
) {
  switch draw {
  case .none: return
  case .mixup(let weight):
    let (own, foreign) = (Float(weight), 1 - Float(weight))
    for i in 0..<(channels * size.width * size.height) {
      image[i] = own * image[i] + foreign * partner[i]
    }
  case .cutmix(let box):
    for channel in 0..<channels {
      for y in box.top..<box.bottom {
        let start = (channel * size.height + y) * size.width + box.left
        (image + start).update(from: partner + start, count: box.width)
      }
    }
  }
}
