import Configuration
import Datasets

/// Cross-entropy with label smoothing; mixtures of labels are soft targets.
public struct Supervised: Objective {
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

  public func accumulate(_ batch: Batch, _ pass: Pass) -> Contribution {
    let cx = pass.training(batch)
    let logits = pass.model(.init(batch.images), cx).prediction(cx)
    let targets = batch.targets(
      classes: logits.shape[1], smoothing: labelSmoothing, from: cx.pool)
    let loss = cx.crossEntropy(logits, targets: targets, weight: pass.sampleWeight)
    cx.tape?.backward(from: loss)
    return Contribution(loss: Double(loss.tensor.pointer[0]), samples: batch.count)
  }
}
