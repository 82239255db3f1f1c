import Autograd
import Tensors

/// RVT's self-attention: with a learned mask over pairs of positions where it is asked for, and
/// queries, keys and values from a linear map or from a convolution over neighbouring tokens.
final class PositionAwareAttention {
  private let project: (Variable, Context) -> Variable
  private let projection: Dense
  private let mask: Parameter?
  private let width: Int
  private let heads: Int
  /// Where the weights are offered.
  let tap: AttentionTap

  /// - Parameters:
  ///   - path: of the layer, before `.weights` in the name of its tap.
  ///   - hasMask: whether logits are scaled by position.
  ///   - reasonsOverPatches: whether the convolution makes queries, keys and values.
  init(
    _ scope: Scope, path: String, side: Int, width: Int, heads: Int, hasMask: Bool,
    reasonsOverPatches: Bool
  ) {
    (self.width, self.heads) = (width, heads)
    tap = AttentionTap("\(path).weights", heads: heads, keys: side * side)
    if reasonsOverPatches {
      let reasoning = PatchReasoning(scope["patch_reasoning"], side: side, width: width)
      project = { reasoning($0, $1) }
    } else {
      let qkv = Dense(
        scope["qkv"], inputs: width, outputs: 3 * width, weight: .fanIn(width),
        bias: .fanIn(width))
      project = { qkv($0, $1) }
    }
    mask =
      hasMask
      ? scope.parameter("att_mask", [heads, side * side, side * side], .normal(0.02)) : nil
    projection = Dense(
      scope["proj"], inputs: width, outputs: width, weight: .fanIn(width), bias: .fanIn(width))
  }

  /// - Parameters:
  ///   - x: normalised tokens `[batch, side², width]`.
  ///   - residual: added to the result if given.
  func callAsFunction(_ x: Variable, addedTo residual: Variable?, _ cx: Context) -> Variable {
    let qkv = project(x, cx)
    let (q, k) = (HeadColumns(qkv, from: 0), HeadColumns(qkv, from: width))
    let depth = width / heads
    let weights: Variable
    if let mask {
      weights = cx.attentionWeights(queries: q, keys: k, heads: heads, depth: depth, mask: mask)
    } else {
      weights = cx.attentionWeights(queries: q, keys: k, heads: heads, depth: depth)
    }
    let mixed = cx.attentionMix(
      cx.tap(tap.name, weights), values: HeadColumns(qkv, from: 2 * width), depth: depth)
    return projection(mixed, rows: nil, addedTo: residual, cx)
  }
}

/// Queries, keys and values by a 3 x 3 convolution to a quarter of the width, a rectifier and a
/// linear map: as many weights as the linear map alone, but for width / 4 biases.
final class PatchReasoning {
  private let gather: Convolution
  private let spread: Dense

  init(_ scope: Scope, side: Int, width: Int) {
    let narrow = width / 4
    gather = Convolution(
      scope[0], SlidingWindow(side: side, kernel: 3, stride: 1, padding: 1), inputs: width,
      outputs: narrow)
    spread = Dense(
      scope[2], inputs: narrow, outputs: 3 * width, weight: .fanIn(narrow), bias: .fanIn(narrow),
      isConvolution: true)
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    spread(cx.relu(gather(x, cx)), cx)
  }
}
