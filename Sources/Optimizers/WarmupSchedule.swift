import Configuration
import Glibc

/// The curve from 1 to 0 that a schedule follows after its warm-up.
public protocol DecayCurve: Sendable, Equatable {
  static var kind: String { get }
  static var about: String { get }
  /// Whether the rate ends at `minimumLearningRate`.
  static var reachesMinimum: Bool { get }
  /// - Parameter progress: 0 at the start, 1 at the end.
  static func value(at progress: Double) -> Double
}

/// A linear warm-up from w to η, then a decay from η to the floor f along a curve c:
/// `f + (η − f)·c(progress)`.
///
/// Warm-up lasts `warmupEpochs` or `warmupSteps`, not both. η is the optimizer's rate after
/// `scaling`; w and f are not scaled.
public struct WarmupSchedule<Curve: DecayCurve>: Schedule {
  public static var kind: String { Curve.kind }
  public static var about: String { Curve.about }

  /// Length of the warm-up in epochs, which may be fractional.
  public var warmupEpochs = 0.0
  /// Length of the warm-up in steps, instead of epochs.
  public var warmupSteps = 0
  /// w: where the warm-up begins.
  public var warmupLearningRate = 1e-6
  /// f: the floor.
  public var minimumLearningRate = Curve.reachesMinimum ? 1e-5 : 0
  /// How η depends on the batch.
  public var scaling = LearningRateScaling.none
  /// Per step, or as DeiT's script does.
  public var mode = ScheduleMode.perStep

  public init() {}

  public func validate() throws {
    try requireNonNegative("warmupEpochs", warmupEpochs)
    try requireNonNegative("warmupSteps", Double(warmupSteps))
    try requireNonNegative("warmupLearningRate", warmupLearningRate)
    try requireNonNegative("minimumLearningRate", minimumLearningRate)
    if warmupEpochs > 0 && warmupSteps > 0 {
      throw ConfigurationError(
        "warmupSteps", "warm-up is given in steps and in epochs",
        remedy: "Remove warmupSteps or warmupEpochs")
    }
    if mode == .deitEpochLagged && warmupSteps > 0 {
      throw ConfigurationError(
        "warmupSteps", "\(mode.rawValue) counts in epochs", remedy: "Give warmupEpochs")
    }
  }

  public func check(base: Double, run: RunLength) throws {
    guard run.totalSteps > 0, run.stepsPerEpoch > 0 else {
      throw ConfigurationError(
        "epochs", "the run has no steps", remedy: "Give epochs or steps above 0")
    }
    let warmup = warmupLength(run)
    guard warmup < run.totalSteps else {
      throw ConfigurationError(
        "schedule.\(warmupSteps > 0 ? "warmupSteps" : "warmupEpochs")",
        "the warm-up of \(warmup) steps leaves nothing of the run of \(run.totalSteps) steps",
        remedy: "Shorten the warm-up or lengthen the run")
    }
    let peak = scaling.scaled(base, batchSize: run.batchSize)
    if Curve.reachesMinimum && peak < minimumLearningRate {
      throw ConfigurationError(
        "schedule.minimumLearningRate",
        "\(minimumLearningRate) is above the learning rate \(peak), so the rate would rise",
        remedy: "Lower it, or take the schedule constant")
    }
  }

  public func learningRate(step: Int, base: Double, run: RunLength) -> Double {
    let peak = scaling.scaled(base, batchSize: run.batchSize)
    switch mode {
    case .perStep:
      let warmup = warmupLength(run)
      if step < warmup {
        return warmedUp(Double(step + 1) / Double(warmup), peak)
      }
      return decayed(Double(step + 1 - warmup) / Double(max(1, run.totalSteps - warmup)), peak)
    case .deitEpochLagged:
      let epoch = Double(max(0, step / run.stepsPerEpoch - 1))
      if epoch < warmupEpochs { return warmedUp(epoch / warmupEpochs, peak) }
      let epochs = Double(run.totalSteps) / Double(run.stepsPerEpoch)
      return decayed(epoch / epochs, peak)
    }
  }

  private func warmupLength(_ run: RunLength) -> Int {
    warmupSteps > 0
      ? warmupSteps : Int((warmupEpochs * Double(run.stepsPerEpoch)).rounded())
  }

  private func warmedUp(_ progress: Double, _ peak: Double) -> Double {
    warmupLearningRate + (peak - warmupLearningRate) * progress
  }

  private func decayed(_ progress: Double, _ peak: Double) -> Double {
    minimumLearningRate + (peak - minimumLearningRate) * Curve.value(at: min(1, progress))
  }

  private func requireNonNegative(_ key: String, _ value: Double) throws {
    guard value >= 0, value.isFinite else {
      throw ConfigurationError(
        key, "\(value) is negative or not a number", remedy: "Give 0 or more")
    }
  }
}
