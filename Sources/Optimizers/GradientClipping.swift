import Configuration

/// Limits the Euclidean norm of the whole gradient, after it has been summed over all ranks.
public struct GradientClipping: Configurable {
  /// Largest norm that passes; 0 lets every gradient pass.
  public var maximumNorm = 0.0

  public init() {}

  public func validate() throws {
    guard maximumNorm >= 0, maximumNorm.isFinite else {
      throw ConfigurationError(
        "maximumNorm", "\(maximumNorm) is negative or not a number",
        remedy: "Give 0 for no clipping, or a number such as 1.0")
    }
  }

  /// Whether there is anything to do.
  public var isOn: Bool { maximumNorm > 0 }

  /// min(1, c/(norm + 1e-6)), as PyTorch; the factor for `OptimizerStep.gradientScale`.
  /// - Parameter norm: finite; a step with any other norm must not be taken.
  public func scale(norm: Double) -> Float {
    isOn ? Float(min(1, maximumNorm / (norm + 1e-6))) : 1
  }
}
