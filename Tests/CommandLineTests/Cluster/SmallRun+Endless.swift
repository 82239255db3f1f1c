import Foundation
import Testing

extension SmallRun {
  /// A run that no test outlasts, whose learning rate does not depend on its length, with a
  /// checkpoint every ten steps.
  static let endless = [
    "steps=1000000", "schedule.kind=constant", "schedule.warmupEpochs=0",
    "evaluation.everyEpochs=0", "checkpoints.everySteps=10", "checkpoints.keepLast=4",
    "data.augmentation.repeats=1",
  ]

  /// Whether a run has been started so often, and has committed a checkpoint since its last start.
  func trains(_ name: String, starts: Int) -> Bool {
    let log = (try? String(contentsOfFile: path("\(name)/restarts.log"), encoding: .utf8)) ?? ""
    let lines = log.split(separator: "\n")
    guard lines.count >= starts, let last = lines.last,
      let began = last.firstMatch(of: /step (\d+), \d+ restarts/).flatMap({ Int($0.1) }),
      let newest = try? steps(name).last
    else { return false }
    return newest > began
  }

  /// Every run's newest checkpoint at a multiple of ten steps has the digest of a run that one rank
  /// made without a stop; one run of that kind serves them all.
  func expectExact(_ names: [String]) throws {
    let newest = try names.map { name in
      try #require(try steps(name).last { $0 % 10 == 0 }, "\(name) has no checkpoint")
    }
    let longest = try #require(newest.max())
    let settings = Self.endless + ["steps=\(longest)", "checkpoints.keepLast=\(longest)"]
    let outcome = try Program.run(training("undisturbed", settings), seconds: 240)
    try #require(outcome.status == 0, "\(outcome.errors)")
    for (name, step) in zip(names, newest) {
      let folder = "checkpoints/step_" + String(repeating: "0", count: 8 - "\(step)".count)
      let found = try digest(folder: path("\(name)/\(folder)\(step)"))
      let expected = try digest(folder: path("undisturbed/\(folder)\(step)"))
      #expect(found == expected, "\(name) at step \(step)")
    }
  }

  private func digest(folder: String) throws -> String {
    let outcome = try Program.run(["checkpoint", "digest", folder])
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }
}
