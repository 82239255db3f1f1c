import Autograd

/// γ (x - μ) / σ + β over the features of a token.
final class LayerNorm {
  private let scale: Parameter
  private let shift: Parameter
  private let epsilon: Float

  init(_ scope: Scope, width: Int, epsilon: Float) {
    scale = scope.parameter("weight", [width], .constant(1))
    shift = scope.parameter("bias", [width], .constant(0))
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    cx.layerNorm(x, scale: scale, shift: shift, epsilon: epsilon)
  }
}
