import Autograd
import Tensors

/// FAN's channel attention: a feed-forward layer whose channels each pass as far as their query
/// agrees with the keys of their head, compared over tokens (Zhou et al., 2022).
final class ChannelProcessing {
  private let temperature: Parameter
  private let values: MixingFeedForward
  private let valueNorm: LayerNorm
  private let queries: Dense

  init(_ scope: Scope, side: Int, width: Int, hidden: Int, heads: Int) {
    temperature = scope.parameter("temperature", [heads, 1, 1], .constant(1))
    values = MixingFeedForward(scope["mlp_v"], side: side, width: width, hidden: hidden)
    valueNorm = LayerNorm(scope["norm_v"], width: width, epsilon: 1e-5)
    queries = Dense(scope["q"], inputs: width, outputs: width, weight: .normal(0.02))
  }

  /// - Parameter x: normalised tokens `[batch, side², width]`.
  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let gate = cx.channelGate(
      queries: cx.softmaxOverTokens(queries(x, cx)), keys: cx.softmaxOverTokens(x),
      temperature: temperature)
    return cx.scaleChannels(valueNorm(values(x, cx), cx), by: gate)
  }
}

/// W₂ (u + γ ∘ mix(u)) + b₂ with u = W₁ x + b₁, where mix is a depthwise convolution, GELU, batch
/// normalisation and another depthwise convolution on the grid of tokens.
final class MixingFeedForward {
  private let expand: Dense
  private let first: DepthwiseConvolution
  private let norm: BatchNorm
  private let second: DepthwiseConvolution
  private let scale: Parameter
  private let contract: Dense

  init(_ scope: Scope, side: Int, width: Int, hidden: Int) {
    let window = SlidingWindow(side: side, kernel: 3, stride: 1, padding: 1)
    // Variance 2 / (k² outputs / groups).
    let start = Initializer.normal((2 / Float(window.taps)).squareRoot())
    expand = Dense(scope["fc1"], inputs: width, outputs: hidden, weight: .normal(0.02))
    first = DepthwiseConvolution(
      scope["dwconv"]["conv1"], window, inputs: hidden, outputs: hidden, weight: start)
    norm = BatchNorm(scope["dwconv"]["bn"], width: hidden)
    second = DepthwiseConvolution(
      scope["dwconv"]["conv2"], window, inputs: hidden, outputs: hidden, weight: start)
    scale = scope.parameter("gamma", [hidden], .constant(1))
    contract = Dense(scope["fc2"], inputs: hidden, outputs: width, weight: .normal(0.02))
  }

  func callAsFunction(_ x: Variable, _ cx: Context) -> Variable {
    let u = expand(x, cx)
    let mixed = second(norm(cx.gelu(first(u, cx), .erf), cx), cx)
    return contract(cx.scaleChannels(mixed, by: scale, addedTo: u), cx)
  }
}
