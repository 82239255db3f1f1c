/// Where a run keeps its files.
public struct RunFolder: Sendable, Equatable {
  public let path: String

  public init(_ path: String) { self.path = path }

  /// The resolved config.
  public var config: String { path + "/config.yaml" }
  public var metrics: String { path + "/metrics.jsonl" }
  public var tensorBoard: String { path + "/tensorboard" }
  public var checkpoints: String { path + "/checkpoints" }
  public var weights: String { path + "/final.safetensors" }
  public var summary: String { path + "/summary.json" }
  public var curves: String { path + "/curves.svg" }
  /// There as long as a run stands still that was asked to stop: its last step.
  public var stopped: String { path + "/stopped.json" }
  /// The last events of every rank of a run that the watchdog ended.
  public var flight: String { path + "/flight" }
}
