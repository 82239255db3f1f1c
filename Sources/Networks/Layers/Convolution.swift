import Autograd
import Tensors

/// A convolution of maps stored channels last, `[batch, side², channels]`, with PyTorch's tensors.
final class Convolution {
  let window: SlidingWindow
  private let weight: Parameter
  private let bias: Parameter?

  /// - Parameters:
  ///   - weight: its first values; PyTorch's own if nil.
  ///   - bias: whether there is one; it starts like the weight does in PyTorch, or at 0.
  init(
    _ scope: Scope, _ window: SlidingWindow, inputs: Int, outputs: Int, bias hasBias: Bool = true,
    weight initializer: Initializer? = nil
  ) {
    self.window = window
    let own = Initializer.fanIn(inputs * window.taps)
    weight = scope.parameter(
      "weight", [outputs, inputs, window.kernel, window.kernel], initializer ?? own)
    bias =
      hasBias
      ? scope.parameter("bias", [outputs], initializer == nil ? own : .constant(0)) : nil
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    cx.convolution(x, window: window, weight: weight, bias: bias)
  }

  /// Multiply-adds for one image.
  var multiplyAdds: Int { window.outputs * weight.shape.count }
}

/// A convolution in which every channel has windows of its own.
final class DepthwiseConvolution {
  let window: SlidingWindow
  private let weight: Parameter
  private let bias: Parameter

  /// - Parameters:
  ///   - outputs: a multiple of `inputs`.
  ///   - weight: its first values, with a bias of 0; PyTorch's own for both if nil.
  init(
    _ scope: Scope, _ window: SlidingWindow, inputs: Int, outputs: Int,
    weight initializer: Initializer? = nil
  ) {
    self.window = window
    let own = Initializer.fanIn(window.taps)
    weight = scope.parameter(
      "weight", [outputs, 1, window.kernel, window.kernel], initializer ?? own)
    bias = scope.parameter("bias", [outputs], initializer == nil ? own : .constant(0))
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    cx.depthwiseConvolution(x, window: window, weight: weight, bias: bias)
  }

  /// Multiply-adds for one image.
  var multiplyAdds: Int { window.outputs * weight.shape.count }
}

extension Initializer {
  /// What PyTorch gives linear maps and convolutions, weights and biases alike: uniform in
  /// ± 1 / √inputs.
  static func fanIn(_ inputs: Int) -> Initializer { .uniform(1 / Float(inputs).squareRoot()) }
}
