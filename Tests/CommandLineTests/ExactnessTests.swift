import Foundation
import TestSupport
import Testing

/// Promise P1 and P3 as a user sees them: the same bits on any number of ranks, and after a kill.
@Suite(.serialized, mpirunIsThere) struct ExactnessTests {
  @Test func anyNumberOfRanksGivesTheSameBits() throws {
    let run = try SmallRun()
    try train(run, "alone", ranks: 0)
    let losses = try run.losses("alone")
    let digest = try run.digest("alone")
    #expect(losses.count == 60)
    for ranks in [1, 2, 3, 4, 5, 8, 32] {
      try train(run, "ranks\(ranks)", ranks: ranks)
      #expect(try run.losses("ranks\(ranks)") == losses, "losses on \(ranks) ranks")
      #expect(try run.digest("ranks\(ranks)") == digest, "weights on \(ranks) ranks")
    }
  }

  @Test func aKilledRunEndsWithTheBitsOfAnUndisturbedOne() throws {
    let run = try SmallRun()
    let settings = ["steps=600", "checkpoints.everySteps=30"]
    try train(run, "undisturbed", ranks: 0, settings)
    for (before, after) in [(2, 3), (3, 1), (1, 2)] {
      let name = "killed-\(before)-\(after)"
      let running = try Program.Running(run.training(name, settings), ranks: before)
      try wait(running) { run.exists("\(name)/checkpoints/step_00000030") }
      kill(running.identifier, SIGKILL)
      _ = running.wait(seconds: 20)
      try #require(!run.exists("\(name)/final.safetensors"), "the run ended before it was killed")
      try train(run, name, ranks: after, settings)
      #expect(try run.digest(name) == run.digest("undisturbed"), "\(name)")
      #expect(try run.losses(name) == run.losses("undisturbed"), "\(name)")
    }
  }

  @Test func aSignalIsARequest() throws {
    let run = try SmallRun()
    let settings = ["steps=600", "checkpoints.everySteps=600"]
    try train(run, "undisturbed", ranks: 0, settings)
    let running = try Program.Running(run.training("stopped", settings), ranks: 2)
    try wait(running) { (try? run.losses("stopped").count) ?? 0 > 10 }
    kill(running.identifier, SIGUSR1)
    let outcome = running.wait(seconds: 60)
    #expect(outcome.status == 75, "\(outcome.errors)")
    try #require(!run.exists("stopped/final.safetensors"))
    try train(run, "stopped", ranks: 1, settings)
    #expect(try run.digest("stopped") == run.digest("undisturbed"))
  }

  private func train(
    _ run: SmallRun, _ name: String, ranks: Int, _ settings: [String] = []
  ) throws {
    let outcome = try Program.run(run.training(name, settings), ranks: ranks, seconds: 240)
    try #require(outcome.status == 0, "\(name): \(outcome.errors.suffix(2000))")
  }

  /// Looks every few milliseconds: the event lies in another process.
  private func wait(_ running: Program.Running, until condition: () -> Bool) throws {
    let limit = Date().addingTimeInterval(60)
    while !condition() {
      try #require(Date() < limit, "the run did not come so far in a minute")
      usleep(3000)
    }
  }
}
