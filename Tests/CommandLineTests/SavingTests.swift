import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// Saves that fail, that must hurry, and that nobody waits for.
  @Suite(mpirunIsThere) struct SavingTests {
    private static let variable = "VITDIST_STORAGE_FAULT"
    private static let short = ["steps=12", "checkpoints.everySteps=4", "schedule.warmupEpochs=0"]

    /// A full or failing disk on one rank ends the job with one paragraph, in the background as well;
    /// what was saved before is there, and the run goes on from it.
    @Test(arguments: [("enospc", 1, true), ("eio", 0, true), ("eio", 1, false)])
    func aFailingDiskEndsTheJob(_ kind: String, _ rank: Int, _ background: Bool) throws {
      let run = try SmallRun()
      let settings = Self.short + ["checkpoints.background=\(background)"]
      // Rank 0 passes some 35 sites in the first save, rank 1 some 25: these are in the second.
      let outcome = try Program.run(
        run.training("run", settings), ranks: 2,
        variables: [Self.variable: "\(kind):rank=\(rank),site=\(rank == 0 ? 45 : 35)"])
      #expect(outcome.status == 74, "\(outcome.errors)")
      let reason = kind == "eio" ? "Input/output error" : "No space left on device"
      let paragraphs = outcome.errors.split(separator: "\n").filter { $0.contains(reason) }
      #expect(paragraphs.count == 1 && paragraphs[0].hasPrefix("vitdist: rank 0: "))
      #expect(outcome.errors.contains("saved step 4 in "))
      #expect(try run.steps("run") == [4])
      let again = try Program.run(run.training("run", settings), ranks: 3)
      #expect(again.status == 0 && again.errors.contains("going on after step 4"))
      try #require(Program.run(run.training("whole", Self.short)).status == 0)
      #expect(try run.digest("run") == run.digest("whole"))
    }

    @Test func aFaultThatIsNoneIsRefused() throws {
      let run = try SmallRun()
      for text in ["kill", "burn:rank=0,site=1", "eio:rank=0", "eio:rank=0,site=x"] {
        let outcome = try Program.run(
          run.training("run"), variables: [Self.variable: text])
        #expect(outcome.status == 64 && outcome.errors.contains(Self.variable), "\(text)")
      }
    }

    /// The run stops by itself while the last save fits, and is not disturbed by a distant end.
    @Test func theDeadlineIsKept() throws {
      let run = try SmallRun()
      let endless = [
        "steps=1000000", "schedule.kind=constant", "schedule.warmupEpochs=0",
        "evaluation.everyEpochs=0", "checkpoints.everyMinutes=0.01",
      ]
      let start = Date()
      let stopped = try Program.run(
        run.training("run", endless) + ["--deadline", "8s"], ranks: 2, seconds: 60)
      #expect(stopped.status == 75, "\(stopped.errors)")
      #expect(stopped.errors.contains("stopped before the deadline after step"))
      // Starting mpirun and ending it is not in the run's hands.
      #expect(Date().timeIntervalSince(start) < 15)
      let last = try #require(try run.steps("run").last)
      #expect(stopped.errors.contains("saved step \(last) in "))
      // A disk that has just become slow leaves no time for one more; then it says what is there.
      #expect(
        stopped.errors.contains("the state is saved")
          || stopped.errors.contains("step \(last) is the newest on disk"), "\(stopped.errors)")
      // By the clock it has saved a dozen of times by then.
      #expect(stopped.errors.components(separatedBy: "saved step").count > 3)

      let end = "\(Int(Date().timeIntervalSince1970) + 1)"
      let late = try Program.run(
        run.training("run", endless + ["checkpoints.everyMinutes=0"]), seconds: 60,
        variables: ["SLURM_JOB_END_TIME": end])
      #expect(late.status == 75, "\(late.errors)")
      #expect(late.errors.contains("not saved: a checkpoint takes up to"), "\(late.errors)")
      #expect(late.errors.contains("step \(last) is the newest on disk"), "\(late.errors)")
      #expect(try run.steps("run").last == last)
    }

    /// In the middle of an epoch from 32 ranks to 1, to 8, to 3 and back.
    @Test func aRunMayChangeItsRanksAgainAndAgain() throws {
      let run = try SmallRun()
      let settings = [
        "schedule.kind=constant", "schedule.warmupEpochs=0", "evaluation.everyEpochs=0",
      ]
      // Six steps an epoch.
      for (ranks, step) in [(32, 8), (0, 15), (8, 22), (3, 29), (32, 34)] {
        let outcome = try Program.run(
          run.training("run", settings + ["steps=\(step)"]), ranks: ranks, seconds: 240)
        try #require(outcome.status == 0, "\(outcome.errors)")
      }
      let outcome = try Program.run(
        run.training("whole", settings + ["steps=34"]), ranks: 2, seconds: 240)
      try #require(outcome.status == 0, "\(outcome.errors)")
      #expect(try run.digest("run") == run.digest("whole"))
      #expect(try run.losses("run") == run.losses("whole"))
    }

    /// A few deaths; the script ends with 1 if any run ended otherwise or lost what was saved.
    @Test func aFewDeathsLoseNothing() throws {
      let script = Fixtures.package.appendingPathComponent("Launch/torture").path
      let outcome = try Program.script(
        script, ["3", "--objectives", "supervised"], seconds: 300)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
      #expect(outcome.output.contains("together: "), "\(outcome.output)")
    }
  }
}
