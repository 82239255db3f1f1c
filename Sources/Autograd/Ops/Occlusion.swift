import Tensors

/// How a binary choice of patches is differentiated: the gradient of the mask bit, times `factor`,
/// clipped to ± `bound`, times `share`, stands for the gradient of the score (hard tanh of the
/// incoming gradient).
public struct MaskEstimator: Sendable, Equatable {
  public var factor: Float = 1
  public var bound: Float = .infinity
  public var share: Float = 1

  public init() {}

  func scoreGradient(_ mask: Float) -> Float {
    max(-bound, min(bound, factor * mask)) * share
  }
}

extension Context {
  /// x̂ = m ⊙ x + (1 - m) ⊙ δ, with the bit m of a patch spread over its pixels and channels.
  ///
  /// The gradient goes to the scores that the bits were made of, by `estimator`, and to nothing else:
  /// of bit p it is Σ dx̂ ⊙ (x - δ) over the patch.
  ///
  /// - Parameters:
  ///   - images: x, `noise`: δ, `[batch, channels, side, side]`
  ///   - mask: m, `[batch, patches]` of 0 and 1: 1 keeps a patch.
  ///   - scores: `[batch, patches]`
  public func occlude(
    _ images: Tensor, with noise: Tensor, mask: Tensor, scores: Variable, grid: PatchGrid,
    estimator: MaskEstimator
  ) -> Variable {
    let occluded = Tensor(images.shape, from: pool)
    grid.forEachPatchLine(images.shape[0]) { patch, pixel in
      let source = mask.pointer[patch] != 0 ? images : noise
      (occluded.pointer + pixel).update(from: source.pointer + pixel, count: grid.patch)
    }
    let edge = scores.edge
    return record("occlude", occluded, from: [scores]) { d, tape in
      let gradient = Tensor.zeros(edge.shape, from: tape.pool)
      grid.forEachPatchLine(images.shape[0]) { patch, pixel in
        var sum: Float = 0
        for i in pixel..<pixel + grid.patch {
          sum += d.pointer[i] * (images.pointer[i] - noise.pointer[i])
        }
        gradient.pointer[patch] += sum
      }
      for i in 0..<gradient.count {
        gradient.pointer[i] = estimator.scoreGradient(gradient.pointer[i])
      }
      tape.give(gradient, to: edge)
    }
  }
}
