import Autograd

/// Batch normalisation with PyTorch's tensors; its running statistics are part of the slab.
final class BatchNorm {
  private let parameters: BatchNormParameters

  init(_ scope: Scope, width: Int) {
    parameters = BatchNormParameters(
      scale: scope.parameter("weight", [width], .constant(1)),
      shift: scope.parameter("bias", [width], .constant(0)),
      runningMean: scope.parameter("running_mean", [width], .constant(0), role: .statistic),
      runningVariance: scope.parameter("running_var", [width], .constant(1), role: .statistic))
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    cx.batchNorm(x, parameters, epsilon: 1e-5)
  }
}
