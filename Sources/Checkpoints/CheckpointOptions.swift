import Configuration

/// When checkpoints are written, and which are kept.
public struct CheckpointOptions: Configurable {
  /// Optimizer steps between two checkpoints; 0: only by the clock, on request and at the end.
  public var everySteps = 500
  /// Minutes between two checkpoints by rank 0's clock; 0: only by steps, on request and at the end.
  public var everyMinutes = 0.0
  /// Write while training goes on, from a copy of the state, which takes as much memory as this
  /// rank's part of a checkpoint.
  public var background = true
  /// Read every file again before the checkpoint counts, from the disk where the system allows it.
  public var readBack = true
  /// The newest so many are kept.
  public var keepLast = 3
  /// Those at multiples of this step are kept for ever; 0: none.
  public var keepEverySteps = 0
  /// The best so many by `bestMetric` are kept.
  public var keepBest = 0
  /// Name of a metric stored in the checkpoint, e.g. `validation.accuracy`.
  public var bestMetric = ""
  public var bestIsHighest = true

  public init() {}

  public func validate() throws {
    for (key, value, least) in [
      ("everySteps", everySteps, 0), ("keepLast", keepLast, 1),
      ("keepEverySteps", keepEverySteps, 0), ("keepBest", keepBest, 0),
    ] where value < least {
      throw ConfigurationError(key, "\(value) is too small", remedy: "Give at least \(least)")
    }
    guard everyMinutes >= 0, everyMinutes.isFinite else {
      throw ConfigurationError(
        "everyMinutes", "\(everyMinutes) is not a time", remedy: "Give 0 for none, or e.g. 10")
    }
    if keepBest > 0 && bestMetric.isEmpty {
      throw ConfigurationError(
        "bestMetric", "keepBest is \(keepBest) but no metric is named",
        remedy: "Name one, e.g. validation.accuracy")
    }
  }
}
