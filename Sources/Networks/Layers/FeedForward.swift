import Autograd
import Tensors

/// W₂ gelu(W₁ x + b₁) + b₂
final class FeedForward {
  private let expand: any LinearMap
  private let contract: any LinearMap
  private let activation: Gelu

  convenience init(
    _ scope: Scope, width: Int, hidden: Int, activation: Gelu,
    initialization: VisionTransformer.Initialization
  ) {
    let initializer = initialization.map(inputs: width, outputs: hidden)
    self.init(
      expand: Dense(scope["fc1"], inputs: width, outputs: hidden, weight: initializer),
      contract: Dense(scope["fc2"], inputs: hidden, outputs: width, weight: initializer),
      activation: activation)
  }

  init(expand: any LinearMap, contract: any LinearMap, activation: Gelu) {
    self.expand = expand
    self.contract = contract
    self.activation = activation
  }

  func callAsFunction(_ x: Variable, addedTo residual: Variable?, _ cx: Context) -> Variable {
    if let expand = expand as? Dense, let contract = contract as? Dense,
      let y = cx.feedForward(
        x, expand.parameters, activation, contract.parameters, addedTo: residual)
    {
      return y
    }
    return contract(cx.gelu(expand(x, cx), activation), rows: nil, addedTo: residual, cx)
  }
}
