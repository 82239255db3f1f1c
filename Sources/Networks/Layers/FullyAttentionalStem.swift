import Autograd
import Tensors

/// FAN's ways from pixels to tokens on a grid of one sixteenth of the side.
protocol TokenStem {
  /// - Parameter rows: `[batch, side², channels]`
  /// - Returns: `[batch, (side / 16)², width]`
  func callAsFunction(_ rows: Variable, _ cx: Context) -> Variable
  /// For one image.
  var multiplyAdds: Int { get }
}

/// Four 3 x 3 convolutions of stride 2, each with batch normalisation, GELU between them: FAN-ViT.
final class ConvolutionalStem: TokenStem {
  private let layers: [(convolution: Convolution, norm: BatchNorm)]

  init(_ scope: Scope, side: Int, channels: Int, width: Int) {
    var (side, inputs) = (side, channels)
    layers = [width / 8, width / 4, width / 2, width].enumerated().map { index, outputs in
      // GELUs lie between the layers in the list that gives the names.
      let scope = scope["proj"][2 * index]
      let window = SlidingWindow(side: side, kernel: 3, stride: 2, padding: 1)
      defer { (side, inputs) = (window.output, outputs) }
      return (
        Convolution(scope[0], window, inputs: inputs, outputs: outputs, bias: false),
        BatchNorm(scope[1], width: outputs)
      )
    }
  }

  func callAsFunction(_ rows: Variable, _ cx: Context) -> Variable {
    var x = rows
    for (index, layer) in layers.enumerated() {
      let y = layer.norm(layer.convolution(x, cx), cx)
      x = index + 1 < layers.count ? cx.gelu(y, .erf) : y
    }
    return x
  }

  var multiplyAdds: Int { layers.reduce(0) { $0 + $1.convolution.multiplyAdds } }
}

/// Two stages of ConvNeXt and patches of 2 x 2 of what they give: FAN-Hybrid.
final class HybridStem: TokenStem {
  private let stages: ConvNeXtStages
  private let patches: Convolution

  init(_ scope: Scope, side: Int, channels: Int, widths: [Int], depths: [Int], width: Int) {
    stages = ConvNeXtStages(
      scope["backbone"], side: side, channels: channels, widths: widths, depths: depths)
    patches = Convolution(
      scope["proj"], SlidingWindow(side: stages.side, kernel: 2, stride: 2, padding: 0),
      inputs: widths[widths.count - 1], outputs: width)
  }

  func callAsFunction(_ rows: Variable, _ cx: Context) -> Variable {
    patches(stages(rows, cx), cx)
  }

  var multiplyAdds: Int { stages.multiplyAdds + patches.multiplyAdds }
}
