import Autograd
import Tensors

/// RVT's feed-forward layer: expansion and contraction with a convolution over neighbouring tokens
/// between them, each followed by a batch normalisation.
final class LocalFeedForward {
  private let expand: Dense
  private let expandNorm: BatchNorm
  private let local: DepthwiseConvolution
  private let localNorm: BatchNorm
  private let contract: Dense
  private let contractNorm: BatchNorm

  init(_ scope: Scope, side: Int, width: Int, hidden: Int) {
    expand = Dense(
      scope["fc1"], inputs: width, outputs: hidden, weight: .fanIn(width), bias: .fanIn(width),
      isConvolution: true)
    expandNorm = BatchNorm(scope["bn1"], width: hidden)
    local = DepthwiseConvolution(
      scope["dwconv"], SlidingWindow(side: side, kernel: 3, stride: 1, padding: 1),
      inputs: hidden, outputs: hidden)
    localNorm = BatchNorm(scope["bn2"], width: hidden)
    contract = Dense(
      scope["fc2"], inputs: hidden, outputs: width, weight: .fanIn(hidden), bias: .fanIn(hidden),
      isConvolution: true)
    contractNorm = BatchNorm(scope["bn3"], width: width)
  }

  /// - Parameter x: `[batch, side², width]`
  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let expanded = cx.gelu(expandNorm(expand(x, cx), cx), .erf)
    let mixed = cx.gelu(localNorm(local(expanded, cx), cx), .erf)
    return contractNorm(contract(mixed, cx), cx)
  }
}
