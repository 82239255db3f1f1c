import Autograd
import Tensors

/// The first stages of ConvNeXt (Liu et al., 2022): patches of 4 x 4, then blocks on ever coarser
/// grids, with timm's names.
final class ConvNeXtStages {
  private let patches: Convolution
  private let patchNorm: LayerNorm
  private let stages: [ConvNeXtStage]

  /// - Parameters:
  ///   - side: of the image.
  ///   - widths, depths: of every stage.
  init(_ scope: Scope, side: Int, channels: Int, widths: [Int], depths: [Int]) {
    patches = Convolution(
      scope["stem"][0], SlidingWindow(side: side, kernel: 4, stride: 4, padding: 0),
      inputs: channels, outputs: widths[0], weight: .normal(0.02))
    patchNorm = LayerNorm(scope["stem"][1], width: widths[0], epsilon: 1e-6)
    var stages: [ConvNeXtStage] = []
    var side = patches.window.output
    for (index, (width, depth)) in zip(widths, depths).enumerated() {
      let stage = ConvNeXtStage(
        scope["stages"][index], side: side, from: index > 0 ? widths[index - 1] : nil,
        width: width, depth: depth)
      side = stage.side
      stages.append(stage)
    }
    self.stages = stages
  }

  /// Of the grid that comes out.
  var side: Int { stages.last?.side ?? patches.window.output }

  func callAsFunction(_ rows: Variable, _ cx: Context) -> Variable {
    stages.reduce(patchNorm(patches(rows, cx), cx)) { $1($0, cx) }
  }

  var multiplyAdds: Int { stages.reduce(patches.multiplyAdds) { $0 + $1.multiplyAdds } }
}

/// Blocks on one grid, after a convolution that halves it where there is a stage before.
final class ConvNeXtStage {
  private let downsample: (norm: LayerNorm, convolution: Convolution)?
  private let blocks: [ConvNeXtBlock]
  let side: Int

  init(_ scope: Scope, side: Int, from previous: Int?, width: Int, depth: Int) {
    downsample = previous.map { previous in
      let scope = scope["downsample"]
      return (
        LayerNorm(scope[0], width: previous, epsilon: 1e-6),
        Convolution(
          scope[1], SlidingWindow(side: side, kernel: 2, stride: 2, padding: 0),
          inputs: previous, outputs: width, weight: .normal(0.02))
      )
    }
    let inner = downsample?.convolution.window.output ?? side
    self.side = inner
    blocks = (0..<depth).map { ConvNeXtBlock(scope["blocks"][$0], side: inner, width: width) }
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let start = downsample.map { $0.convolution($0.norm(x, cx), cx) } ?? x
    return blocks.reduce(start) { $1($0, cx) }
  }

  var multiplyAdds: Int {
    blocks.reduce(downsample?.convolution.multiplyAdds ?? 0) { $0 + $1.multiplyAdds }
  }
}

/// x + γ ∘ W₂ gelu(W₁ norm(depthwise 7 x 7 (x)))
final class ConvNeXtBlock {
  private let depthwise: DepthwiseConvolution
  private let norm: LayerNorm
  private let feedForward: FeedForward
  private let scale: Parameter
  let multiplyAdds: Int

  init(_ scope: Scope, side: Int, width: Int) {
    depthwise = DepthwiseConvolution(
      scope["conv_dw"], SlidingWindow(side: side, kernel: 7, stride: 1, padding: 3),
      inputs: width, outputs: width, weight: .normal(0.02))
    norm = LayerNorm(scope["norm"], width: width, epsilon: 1e-6)
    feedForward = FeedForward(
      expand: Dense(
        scope["mlp"]["fc1"], inputs: width, outputs: 4 * width, weight: .normal(0.02),
        isConvolution: true),
      contract: Dense(
        scope["mlp"]["fc2"], inputs: 4 * width, outputs: width, weight: .normal(0.02),
        isConvolution: true), activation: .erf)
    scale = scope.parameter("gamma", [width], .constant(1e-6))
    multiplyAdds = depthwise.multiplyAdds + 8 * side * side * width * width
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let y = feedForward(norm(depthwise(x, cx), cx), addedTo: nil, cx)
    return cx.scaleChannels(y, by: scale, addedTo: x)
  }
}
