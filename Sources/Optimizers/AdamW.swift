import Configuration
import Glibc

/// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), with PyTorch's arithmetic:
/// ```
/// θ ← θ(1 − ηλ)    m ← β₁m + (1−β₁)g    v ← β₂v + (1−β₂)g²
/// θ ← θ − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)
/// ```
public struct AdamW: Optimizer {
  public static let kind = "adamw"
  public static let about = "Adam with decoupled weight decay; DeiT's optimizer"

  /// Rate η before the schedule.
  public var learningRate = 1e-3
  /// λ.
  public var weightDecay = 0.05
  /// Decay of the first moment.
  public var beta1 = 0.9
  /// Decay of the second moment.
  public var beta2 = 0.999
  /// Added to the root of the second moment.
  public var epsilon = 1e-8

  public init() {}

  public var stateNames: [String] { ["adamw.m", "adamw.v"] }

  public func validate() throws {
    try validateRates()
    try validateUnit("beta1", beta1)
    try validateUnit("beta2", beta2)
    try validateEpsilon(epsilon)
  }

  public func update(
    _ slabs: OptimizerSlabs, owned: Ownership, step: OptimizerStep, norms: any ParameterNorms
  ) {
    let moments = AdamMoments(beta1: beta1, beta2: beta2, epsilon: epsilon, step: step)
    let rate = Float(step.learningRate)
    let decay = Float(1 - step.learningRate * weightDecay)
    for slice in owned.slices {
      Self.sweep(
        slabs.parameters + slice.start, UnsafePointer(slabs.gradients + slice.start),
        slabs.states[0] + slice.stateStart, slabs.states[1] + slice.stateStart,
        count: slice.count, moments: moments, rate: rate, decay: slice.decays ? decay : 1)
    }
  }

  /// Reads 16 and writes 12 bytes an element. Compiles to vector code with a scalar tail of the same
  /// operations: products are fused where it says so and nowhere else.
  private static func sweep(
    _ parameters: UnsafeMutablePointer<Float>, _ gradients: UnsafePointer<Float>,
    _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, count: Int,
    moments: AdamMoments, rate: Float, decay: Float
  ) {
    for i in 0..<count {
      let (m, v) = moments.advanced(first[i], second[i], gradient: gradients[i])
      first[i] = m
      second[i] = v
      parameters[i] = (parameters[i] * decay).addingProduct(-rate, moments.direction(m, v))
    }
  }
}

/// The part that AdamW and LAMB share: decaying averages and the bias-corrected direction.
struct AdamMoments {
  private let beta1, beta2, oneMinusBeta1, oneMinusBeta2: Float
  private let correction1, correction2, epsilon, gradientScale: Float

  init(beta1: Double, beta2: Double, epsilon: Double, step: OptimizerStep) {
    self.beta1 = Float(beta1)
    self.beta2 = Float(beta2)
    oneMinusBeta1 = Float(1 - beta1)
    oneMinusBeta2 = Float(1 - beta2)
    correction1 = Float(1 / (1 - pow(beta1, Double(step.number))))
    correction2 = Float(1 / (1 - pow(beta2, Double(step.number))).squareRoot())
    self.epsilon = Float(epsilon)
    gradientScale = step.gradientScale
  }

  @inline(__always)
  func advanced(_ m: Float, _ v: Float, gradient: Float) -> (m: Float, v: Float) {
    let g = gradient * gradientScale
    return (
      (oneMinusBeta1 * g).addingProduct(beta1, m),
      (oneMinusBeta2 * g * g).addingProduct(beta2, v)
    )
  }

  @inline(__always)
  func direction(_ m: Float, _ v: Float) -> Float {
    m * correction1 / epsilon.addingProduct(v.squareRoot(), correction2)
  }
}

func validateEpsilon(_ epsilon: Double) throws {
  // The smallest normal Float: below it the guard against division by zero is itself zero.
  guard epsilon >= 1.2e-38, epsilon.isFinite else {
    throw ConfigurationError(
      "epsilon", "\(epsilon) is not a positive number", remedy: "Give e.g. 1.0e-8")
  }
}

extension CatalogEntry<any Optimizer> {
  public static var adamw: Self { Self(AdamW.self) { $0 } }
}
