import Autograd
import Configuration
import Datasets

/// Cross-entropy with label smoothing; mixtures of labels are soft targets.
public struct Supervised: Objective, Loss {
  public static let kind = "supervised"
  public static let about = "cross-entropy with label smoothing and mixed targets"

  public var labelSmoothing = 0.0

  public init() {}

  public func validate() throws {
    guard (0..<1).contains(labelSmoothing) else {
      throw ConfigurationError(
        "labelSmoothing", "is \(labelSmoothing)",
        remedy: "Give a number from 0 up to, not including, 1")
    }
  }

  public func callAsFunction(_ pass: Pass) throws -> Variable {
    let cx = pass.context
    let logits = try pass.logits(pass.images).prediction(cx)
    let targets = pass.batch.targets(
      classes: logits.shape[1], smoothing: labelSmoothing, from: cx.pool)
    return cx.crossEntropy(logits, targets: targets, weight: pass.sampleWeight)
  }
}
