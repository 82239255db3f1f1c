import Attacks
import Networks
import Tensors
import TestSupport

/// A Vision Transformer of 8 × 8 px with counted weights, and images to attack it with.
struct TinyTransformer {
  let pool = BufferPool(poisonsReturned: true)
  let network: Network
  let victim: NetworkVictim

  /// - Parameter change: of the plain model's options.
  init(_ change: (inout VisionTransformer) -> Void = { _ in }) {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize, options.channels) = (8, 2, 1)
    (options.width, options.depth, options.heads, options.mlpRatio) = (32, 2, 2, 2)
    (options.classes, options.mean, options.deviation) = (10, [0.5], [0.25])
    change(&options)
    network = Network(options, seed: 1, pool: pool)
    network.parameters.fillWithCountedValues()
    victim = NetworkVictim(
      network.model, network.parameters, products: OpenBLASProducts(), pool: pool)
  }

  /// Counted images; the first is all black, the second all white.
  func images(_ count: Int, withExtremes: Bool = false) -> Tensor {
    let values = CountedValues.uniform("images", count: count * 64)
    let images = Tensor([count, 1, 8, 8], values, from: pool)
    if withExtremes {
      images.slice(0..<1).elements.update(repeating: 0)
      images.slice(1..<2).elements.update(repeating: 1)
    }
    return images
  }

  /// What the model says of the images.
  func predictions(_ images: Tensor) -> [Int] {
    let logits = victim.logits(images, rows: [])
    return (0..<images.shape[0]).map { row in
      let z = Array(logits.elements[row * 10..<(row + 1) * 10])
      return z.firstIndex(of: z.max()!)!
    }
  }

  func keys(_ count: Int, seed: UInt64 = 1) -> AttackKeys {
    AttackKeys(seed: seed, samples: Array(100..<100 + count))
  }
}
