/// Why a run ended before its last step.
public enum TrainingError: Error, CustomStringConvertible {
  /// A loss or gradient is infinite or not a number.
  case nonFinite(what: String, step: Int)
  /// A signal asked for it and the state is saved: exit code 75.
  case stoppedOnRequest(step: Int)
  /// The time that the job was given is up; the state of step `saved` is saved. Exit code 75.
  case outOfTime(step: Int, saved: Int, reason: String)

  /// Whether the run stopped in order and is to go on later.
  public var isStop: Bool {
    switch self {
    case .nonFinite: false
    case .stoppedOnRequest, .outOfTime: true
    }
  }

  public var description: String {
    switch self {
    case .nonFinite(let what, let step):
      "step \(step): \(what) is not finite. Lower optimizer.learningRate, set "
        + "clipping.maximumNorm, look at the data of this step, or let nonFinite: skip pass over it."
    case .stoppedOnRequest(let step):
      "stopped on request after step \(step); the state is saved. Start the same command again to "
        + "go on."
    case .outOfTime(let step, let saved, let reason):
      "stopped before the deadline after step \(step); "
        + (saved == step
          ? "the state is saved"
          : "it is not saved: \(reason); step \(saved) is the newest on disk")
        + ". Start the same command again to go on."
    }
  }
}

/// What to do with a step whose loss or gradient is not finite. All ranks decide alike.
public enum NonFinitePolicy: String, Codable, Sendable, CaseIterable {
  case abort
  /// Leave the weights as they are and go on with the next step.
  case skip
}
