import Foundation
import Testing

extension SmallRun {
  /// A run that no test outlasts, whose learning rate does not depend on its length.
  static let unending = [
    "steps=1000000", "schedule.kind=constant", "schedule.warmupEpochs=0",
    "evaluation.everyEpochs=0", "checkpoints.everySteps=1000000",
  ]

  /// Trains with a fault in it, to the end, under mpirun or alone.
  func train(
    _ name: String, ranks: Int, fault: String = "", _ settings: [String], seconds: Double = 120
  ) throws -> Program.Outcome {
    try Program.run(
      training(name, settings), ranks: ranks, seconds: seconds,
      variables: fault.isEmpty ? [:] : ["VITDIST_TRAINING_FAULT": fault])
  }

  /// The step that a stopped run says it stands at; nil without a mark.
  func stopMark(_ name: String) throws -> Int? {
    guard let data = FileManager.default.contents(atPath: path("\(name)/stopped.json")) else {
      return nil
    }
    return try JSONDecoder().decode([String: Int].self, from: data)["step"]
  }

  /// The lines of a run's metrics that have a key.
  func metrics(_ name: String, with key: String) throws -> [[String: Any]] {
    try String(contentsOfFile: path("\(name)/metrics.jsonl"), encoding: .utf8)
      .split(separator: "\n").compactMap {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }.filter { $0[key] != nil }
  }
}
