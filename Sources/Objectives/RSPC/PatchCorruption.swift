import Autograd
import Networks
import Tensors

/// RSPC's corruption model C: a convolution of one output a patch, GELU, and a map that mixes the
/// patches, u = G gelu(conv(x)). For 224 px in patches of 16 it has 39,184 parameters.
final class PatchCorruption {
  let grid: PatchGrid
  private let convolution: Parameter
  private let mixing: Parameter

  init(_ scope: Scope, _ grid: PatchGrid) {
    self.grid = grid
    let patches = grid.patches
    convolution = scope["conv"].parameter(
      "weight", [1, grid.channels, grid.patch, grid.patch],
      .uniform(1 / Float(grid.width).squareRoot()), role: .adversary)
    mixing = scope["linear"].parameter(
      "weight", [patches, patches], .uniform(1 / Float(patches).squareRoot()), role: .adversary)
  }

  /// Scores of the patches `[batch, patches]`; the lowest are to be occluded. Nothing flows back to
  /// the images.
  func scores(_ images: Tensor, _ image: ClassifierDescription, _ cx: Context) -> Variable {
    let responses = cx.patchEmbedding(
      Variable(images), grid: grid, mean: image.mean, deviation: image.deviation,
      weight: convolution, bias: nil)
    let active = cx.gelu(responses, .erf).reshaped([images.shape[0], grid.patches])
    return cx.linear(active, weight: mixing, bias: nil)
  }
}
