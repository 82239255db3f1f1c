import Configuration

/// Stochastic gradient descent with momentum, with PyTorch's arithmetic:
/// ```
/// d = g + λθ    b ← μb + d    θ ← θ − η·(nesterov ? d + μb : b)
/// ```
/// Weight decay is the coupled one: it passes through the momentum.
public struct SGD: Optimizer {
  public static let kind = "sgd"
  public static let about = "Stochastic gradient descent with momentum, optionally Nesterov's"

  /// Rate η before the schedule.
  public var learningRate = 0.1
  /// λ.
  public var weightDecay = 1e-4
  /// μ; 0 keeps no state.
  public var momentum = 0.9
  /// Looks ahead along the momentum (Nesterov 1983, in Sutskever's form).
  public var nesterov = false

  public init() {}

  public var stateNames: [String] { momentum == 0 ? [] : ["sgd.momentum"] }

  public func validate() throws {
    try validateRates()
    try validateUnit("momentum", momentum)
    if nesterov && momentum == 0 {
      throw ConfigurationError(
        "nesterov", "needs a momentum, and momentum is 0",
        remedy: "Set momentum, e.g. to 0.9, or nesterov to false")
    }
  }

  public func update(
    _ slabs: OptimizerSlabs, owned: Ownership, step: OptimizerStep, norms: any ParameterNorms
  ) {
    let rate = Float(step.learningRate)
    for slice in owned.slices {
      let parameters = slabs.parameters + slice.start
      let gradients = UnsafePointer(slabs.gradients + slice.start)
      let decay = slice.decays ? Float(weightDecay) : 0
      guard momentum != 0 else {
        for i in 0..<slice.count {
          let d = (gradients[i] * step.gradientScale).addingProduct(decay, parameters[i])
          parameters[i] = parameters[i].addingProduct(-rate, d)
        }
        continue
      }
      sweep(
        parameters, gradients, slabs.states[0] + slice.stateStart, count: slice.count,
        scale: step.gradientScale, rate: rate, decay: decay)
    }
  }

  private func sweep(
    _ parameters: UnsafeMutablePointer<Float>, _ gradients: UnsafePointer<Float>,
    _ velocity: UnsafeMutablePointer<Float>, count: Int, scale: Float, rate: Float, decay: Float
  ) {
    let momentum = Float(momentum)
    // b or d + μb, chosen without a branch in the loop: w·d + s·b with (0, 1) or (1, μ).
    let (ofGradient, ofVelocity): (Float, Float) = nesterov ? (1, momentum) : (0, 1)
    for i in 0..<count {
      let d = (gradients[i] * scale).addingProduct(decay, parameters[i])
      let b = d.addingProduct(momentum, velocity[i])
      velocity[i] = b
      parameters[i] = parameters[i].addingProduct(
        -rate, (ofVelocity * b).addingProduct(ofGradient, d))
    }
  }
}

extension CatalogEntry<any Optimizer> {
  public static var sgd: Self { Self(SGD.self) { $0 } }
}
