import Configuration

/// The learning rate of each step of a run.
public protocol Schedule: CatalogKind {
  /// The rate of a step, counted from 0.
  /// - Parameter base: the optimizer's learning rate, before scaling by the batch.
  func learningRate(step: Int, base: Double, run: RunLength) -> Double
  /// Throws `ConfigurationError` if the options do not fit the run's length or the rate.
  func check(base: Double, run: RunLength) throws
}

/// What a schedule needs to know of a run.
public struct RunLength: Sendable, Equatable {
  /// Optimizer steps of the whole run.
  public let totalSteps: Int
  /// Optimizer steps of one epoch.
  public let stepsPerEpoch: Int
  /// Samples in a global batch.
  public let batchSize: Int

  public init(totalSteps: Int, stepsPerEpoch: Int, batchSize: Int) {
    self.totalSteps = totalSteps
    self.stepsPerEpoch = stepsPerEpoch
    self.batchSize = batchSize
  }
}

/// The schedules by name.
public enum ScheduleCatalog: Catalog {
  public static let subject = "schedule"
  public static let entries: [CatalogEntry<any Schedule>] = [.cosine, .linear, .constant]
}

/// How the rate depends on the batch.
public enum LearningRateScaling: String, Codable, CaseIterable, Sendable {
  /// As given.
  case none
  /// Times batch/512: DeiT's rule, meant for batches of 512 to 1024.
  case linear

  /// The rate for a global batch of `batchSize` samples.
  public func scaled(_ base: Double, batchSize: Int) -> Double {
    self == .none ? base : base * Double(batchSize) / 512
  }
}

/// What a schedule counts in.
public enum ScheduleMode: String, Codable, CaseIterable, Sendable {
  /// A rate per step; the decay starts where the warm-up ends.
  case perStep = "per-step"
  /// A rate per epoch, one epoch late, the decay measured from epoch 0: what DeiT's script does.
  case deitEpochLagged = "deit-epoch-lagged"
}
