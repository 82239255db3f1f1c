import Tensors

/// What happens to one sample and its partner: nothing, a blend, or a rectangle.
package enum MixingDraw: Equatable, Sendable {
  case none
  /// λ x + (1 − λ) partner.
  case mixup(weight: Double)
  /// The partner's pixels inside the box.
  case cutmix(PixelBox)

  /// Weight of the sample's own label.
  package func weight(in size: PixelSize) -> Double {
    switch self {
    case .none: 1
    case .mixup(let weight): weight
    case .cutmix(let box):
      1 - Double(box.width * box.height) / Double(size.width * size.height)
    }
  }

  /// Draws of purpose `mixing`: 0 coin, 1 switch, 2 λ for α = 1, from 4 on Jöhnk's pairs; the centre
  /// of the rectangle is elements 0 (row) and 1 (column) of step-word 1.
  ///
  /// - Parameters:
  ///   - group: step · V + shard: the number of the virtual shard in its epoch.
  ///   - part: 0 in mode `batch`; 1 + number of the pair or element otherwise.
  package init(
    _ options: AugmentationOptions, seed: UInt64, epoch: Int, group: Int, part: Int,
    size: PixelSize
  ) {
    func key(_ step: Int) -> RandomKey {
      RandomKey(seed: seed, .mixing, epoch: epoch, sample: group, restart: part, step: step)
    }
    let draws = key(0)
    guard options.mixes, draws.uniform(0) < options.mixing.probability else {
      self = .none
      return
    }
    let (mixup, cutmix) = (options.mixup.alpha, options.cutmix.alpha)
    let cuts =
      mixup == 0 || (cutmix > 0 && draws.uniform(1) < options.mixing.switchProbability)
    let alpha = cuts ? cutmix : mixup
    let weight = draws.beta(alpha, from: alpha == 1 ? 2 : 4)
    guard cuts else {
      self = .mixup(weight: weight)
      return
    }
    let center = key(1)
    self = .cutmix(
      Self.box(
        weight: weight, row: center.below(size.height, 0), column: center.below(size.width, 1),
        size: size))
  }

  /// The rectangle of area 1 − λ about a centre, clipped to the image.
  package static func box(weight: Double, row: Int, column: Int, size: PixelSize) -> PixelBox {
    let side = (1 - weight).squareRoot()
    let (height, width) = (Int(Double(size.height) * side), Int(Double(size.width) * side))
    let top = min(max(row - height / 2, 0), size.height)
    let left = min(max(column - width / 2, 0), size.width)
    let bottom = min(max(row + (height + 1) / 2, 0), size.height)
    let right = min(max(column + (width + 1) / 2, 0), size.width)
    return PixelBox(left: left, top: top, width: right - left, height: bottom - top)
  }
}
