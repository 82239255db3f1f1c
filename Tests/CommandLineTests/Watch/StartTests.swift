import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// Ranks that were not started alike, and jobs that are asked to stop.
  @Suite(mpirunIsThere) struct StartTests {
    private func start(
      _ run: SmallRun, second: String, _ settings: [String] = []
    ) throws -> Program.Outcome {
      let mpirun = try #require(Program.mpirun)
      let common = ["steps=2", "schedule.warmupEpochs=0"]
      return try Program.Running(
        command: [mpirun, "--oversubscribe", "-n", "1", Program.path]
          + run.training("run", common) + [":", "-n", "1", second]
          + run.training("run", common + settings), isParallel: true, variables: [:]
      ).wait(seconds: 60)
    }

    @Test func twoBuildsAreRefused() throws {
      let run = try SmallRun()
      let other = run.path("vitdist")
      try FileManager.default.copyItem(atPath: Program.path, toPath: other)
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: other))
      try file.seekToEnd()
      try file.write(contentsOf: Data([0]))
      try file.close()
      let outcome = try start(run, second: other)
      #expect(outcome.status == 64, "\(outcome.errors)")
      for word in ["do not agree on program", "bytes with CRC-32C", "on rank 0 (", "on rank 1 ("] {
        #expect(outcome.errors.contains(word), "'\(word)' is not in: \(outcome.errors)")
      }
    }

    @Test(arguments: [("seed=9", "config"), ("checkpoints.everySteps=7", "options")])
    func twoConfigsAreRefused(_ setting: String, _ word: String) throws {
      let run = try SmallRun()
      let outcome = try start(run, second: Program.path, [setting])
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.errors.contains("do not agree on \(word)"), "\(outcome.errors)")
    }

    /// Any of the four signals, to one rank or to the launching script: all ranks stop after the same
    /// step, save and say so; the run that goes on takes the mark away.
    @Test(arguments: [SIGUSR1, SIGUSR2, SIGTERM, SIGINT])
    func everySignalIsARequest(_ number: Int32) throws {
      let run = try SmallRun()
      for isToRank in [true, false] {
        let name = isToRank ? "rank" : "launcher"
        let script = Fixtures.package.appendingPathComponent("Launch/mpirun").path
        let launcher = isToRank ? try #require(Program.mpirun) : script
        let running = try Program.Running(
          command: [launcher, "--oversubscribe", "-n", "3", Program.path]
            + run.training(name, SmallRun.unending), isParallel: true, variables: [:])
        let limit = Date().addingTimeInterval(60)
        while !run.hasSteps(name), Date() < limit { usleep(5000) }
        kill(isToRank ? try #require(running.ranks.last) : running.identifier, number)
        let outcome = running.wait(seconds: 60)
        #expect(outcome.status == 75, "\(name): \(outcome.status) \(outcome.errors)")
        let steps = try run.steps(name)
        let mark = try run.stopMark(name)
        #expect(steps.count == 1 && steps.last == mark, "\(name): \(steps)")
      }
      let last = try #require(try run.steps("rank").last)
      let on = try run.train("rank", ranks: 2, SmallRun.unending + ["steps=\(last + 1)"])
      #expect(on.status == 0, "\(on.errors)")
      #expect(try run.stopMark("rank") == nil)
    }

    /// A second SIGTERM does not wait for the step: the run was asked already and takes too long.
    @Test func aSecondTermEndsAtOnce() throws {
      let run = try SmallRun()
      let running = try Program.Running(
        command: [Program.path] + run.training("run", SmallRun.unending),
        variables: ["VITDIST_TRAINING_FAULT": "hang:rank=0,step=3"])
      usleep(3_000_000)
      kill(running.identifier, SIGTERM)
      usleep(300_000)
      #expect(running.isRunning)
      kill(running.identifier, SIGTERM)
      let outcome = running.wait(seconds: 10)
      #expect(outcome.status == SIGTERM, "\(outcome.status): \(outcome.errors)")
    }
  }
}
