import Autograd
import Tensors

/// An affine map of rows, whatever it is made of: dense weights here, and the seam where quantised,
/// pruned or shared weights take their place. Attention and feed-forward never know.
public protocol LinearMap: AnyObject {
  /// - Parameters:
  ///   - rows: which outputs to compute; all by default.
  ///   - residual: added to the result.
  func callAsFunction(
    _ x: Variable, rows: Range<Int>?, addedTo residual: Variable?, _ cx: Context
  ) -> Variable
}

extension LinearMap {
  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    self(x, rows: nil, addedTo: nil, cx)
  }
}

/// y = x Wᵀ + b with W `[out, in]`; `[out, in, 1, 1]` where the map is called a convolution.
public final class Dense: LinearMap {
  public let weight: Parameter
  public let bias: Parameter

  public init(
    _ scope: Scope, inputs: Int, outputs: Int, weight initializer: Initializer,
    bias biasInitializer: Initializer = .constant(0), isConvolution: Bool = false
  ) {
    weight = scope.parameter(
      "weight", isConvolution ? [outputs, inputs, 1, 1] : [outputs, inputs], initializer)
    bias = scope.parameter("bias", [outputs], biasInitializer)
  }

  var parameters: DenseParameters { DenseParameters(weight: weight, bias: bias) }

  public func callAsFunction(
    _ x: Variable, rows: Range<Int>?, addedTo residual: Variable?, _ cx: Context
  ) -> Variable {
    cx.linear(x, weight: weight, bias: bias, rows: rows, addedTo: residual)
  }
}
