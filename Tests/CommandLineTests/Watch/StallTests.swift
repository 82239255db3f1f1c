import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// Promise P6: a rank that stands still is named and the job ends, without help from MPI.
  @Suite(mpirunIsThere) struct StallTests {
    @Test(arguments: [
      ("stop:rank=1,step=5", 3, ["step 5", "forward and backward", "stopped by a signal"]),
      ("hang:rank=1,step=5", 3, ["step 5", "forward and backward", "running"]),
      ("stop:rank=1,step=3,phase=gather", 2, ["step 3", "waiting for the weights", "stopped"]),
      ("hang:rank=1,step=2,phase=save", 2, ["step 2", "saving a checkpoint"]),
      ("stop:rank=1,phase=join", 2, ["to start MPI", "stopped"]),
    ]) func aRankThatStandsStillIsNamed(_ fault: String, _ ranks: Int, _ words: [String]) throws {
      let run = try SmallRun()
      let outcome = try run.train(
        "run", ranks: ranks, fault: fault,
        SmallRun.unending + ["watchdog.limitSeconds=3", "checkpoints.everySteps=2"], seconds: 60)
      #expect(outcome.status == 76, "\(outcome.status): \(outcome.errors)")
      let paragraphs = outcome.errors.split(separator: "\n").filter { $0.contains("watchdog saw") }
      #expect(paragraphs.count == 1, "\(outcome.errors)")
      let paragraph = paragraphs.first ?? ""
      for word in words + ["rank 1 (", "go on from the last checkpoint"] {
        #expect(paragraph.contains(word), "'\(word)' is not in: \(outcome.errors)")
      }
      for rank in 0..<ranks {
        #expect(run.exists("run/flight/rank-0000\(rank).jsonl"), "rank \(rank) left no record")
      }
    }

    /// The other rank waits for the scores all the while.
    @Test(arguments: [("evaluate", "--json"), ("predict", "--output")])
    func anEvaluationThatStandsStillIsNamed(_ command: String, _ output: String) throws {
      let run = try SmallRun()
      try #require(
        try run.train("run", ranks: 0, ["steps=2", "schedule.warmupEpochs=0"]).status == 0)
      let outcome = try Program.run(
        [
          command, "--weights", run.path("run/final.safetensors"), "--data", run.path("validation"),
          "--chunk", "5", "--watchdog-limit", "2", output, run.path("scores"),
        ], ranks: 2, seconds: 60,
        variables: ["VITDIST_TRAINING_FAULT": "hang:rank=1,phase=evaluate"])
      #expect(outcome.status == 76, "\(outcome.status): \(outcome.errors)")
      for words in ["watchdog saw", "rank 1 (", "evaluating chunk", "--watchdog-limit (2)"] {
        #expect(outcome.errors.contains(words), "'\(words)' is not in: \(outcome.errors)")
      }
      for file in ["rank-00000.jsonl", "rank-00001.jsonl", "verdict.txt"] {
        #expect(run.exists("scores.flight/\(file)"), "\(file)")
      }
    }

    @Test func aRankAloneIsWatchedToo() throws {
      let run = try SmallRun()
      let outcome = try run.train(
        "run", ranks: 0, fault: "hang:rank=0,step=2",
        SmallRun.unending + ["watchdog.limitSeconds=2"], seconds: 60)
      #expect(outcome.status == 76 && outcome.errors.contains("watchdog saw"), "\(outcome.errors)")
    }

    /// A job that its batch system suspends for longer than the limit goes on.
    @Test func aJobThatWasSuspendedIsNotStalled() throws {
      let run = try SmallRun()
      let running = try Program.Running(
        run.training("run", SmallRun.unending + ["watchdog.limitSeconds=2"]), ranks: 2)
      let limit = Date().addingTimeInterval(60)
      while !run.hasSteps("run"), Date() < limit { usleep(10_000) }
      let ranks = running.ranks
      try #require(ranks.count == 2)
      for rank in ranks { kill(rank, SIGSTOP) }
      usleep(4_000_000)
      for rank in ranks { kill(rank, SIGCONT) }
      usleep(1_500_000)
      kill(running.identifier, SIGUSR1)
      let outcome = running.wait(seconds: 60)
      #expect(outcome.status == 75, "\(outcome.status): \(outcome.errors)")
    }
  }
}
