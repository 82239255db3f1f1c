import Autograd
import Checkpoints
import Collectives
import Configuration
import TestSupport
import Testing
import Training

@Suite struct DeadlineTests {
  @Test func timesAreRead() throws {
    #expect(try Deadline("", now: 0) == .none)
    #expect(try Deadline("90m", now: 100).time == 5500)
    #expect(try Deadline("1d2h3m4.5s", now: 0).time == 93784.5)
    #expect(try Deadline("1790000000", endOfJob: "5", now: 0).time == 1_790_000_000)
    #expect(try Deadline("", endOfJob: "1790000000", now: 0).time == 1_790_000_000)
    // What the batch system says is not the user's mistake.
    for text in ["", "unknown", "0", "nan"] {
      #expect(try Deadline("", endOfJob: text, now: 0) == .none)
    }
    for text in ["soon", "90", "-5m", "5m3", "m", "1e99h", "inf", "nan"] {
      let error = #expect(throws: ConfigurationError.self, "\(text)") {
        try Deadline(text, now: 0)
      }
      #expect(error?.key == "--deadline")
    }
  }
}

/// What the ranks decide after a step, with a clock that the test turns.
@Suite struct StepBoundaryTests {
  /// Runs `body` on two ranks; only rank 0's clock may count.
  private func boundary(
    _ deadline: Double = .infinity, minutes: Double = 0,
    _ body: @escaping @Sendable (StepBoundary, (Double) -> Void) throws -> Void
  ) throws {
    let folder = try ScratchFolder()
    let path = folder["checkpoints"]
    _ = try ThreadCommunicator.run(ranks: 2) { group in
      var time = 1000.0
      var cadence = Cadence(stepsPerEpoch: 10, totalSteps: 100)
      cadence.saveEverySteps = 30
      cadence.saveEveryMinutes = minutes
      let content = CheckpointContent(layout: ParameterLayout(), slabs: [])
      let store = try CheckpointStore(path, communicator: group)
      let boundary = StepBoundary(
        cadence, deadline: Deadline(time: deadline), checkpoints: store, content: content,
        communicator: group, now: { group.isRoot ? time : 0 }, tell: { _ in })
      try body(boundary) { time += $0 }
    }
  }

  private static func agree(_ boundary: StepBoundary, _ step: Int, stop: Bool = false) throws
    -> StepBoundary.Decision
  {
    try boundary.agree(after: step, isJudged: false, isAskedToStop: stop)
  }

  @Test func stepsAndMinutesBothCount() throws {
    try boundary(minutes: 2) { boundary, wait in
      var saved: [Int] = []
      // Two minutes from the start; from that save; from step 30, which begins them anew.
      for (step, seconds) in [
        (1, 0.0), (2, 119), (3, 1), (4, 100), (30, 0), (31, 100), (32, 20), (33, 119),
      ] {
        wait(seconds)
        if try Self.agree(boundary, step).saves { saved.append(step) }
      }
      #expect(saved == [3, 30, 32])
    }
  }

  @Test func oneRanksRequestStopsAll() throws {
    let folder = try ScratchFolder()
    let path = folder["checkpoints"]
    let decisions = try ThreadCommunicator.run(ranks: 3) { group in
      let store = try CheckpointStore(path, communicator: group)
      let boundary = StepBoundary(
        Cadence(stepsPerEpoch: 10, totalSteps: 100), deadline: .none, checkpoints: store,
        content: CheckpointContent(layout: ParameterLayout(), slabs: []), communicator: group,
        tell: { _ in })
      let decision = try Self.agree(boundary, 5, stop: group.rank == 2)
      return [decision.stops, decision.saves, decision.isLate]
    }
    #expect(decisions == Array(repeating: [true, true, false], count: 3))
  }

  /// Nothing has been saved yet, so a save is taken to need two seconds; a step takes ten.
  @Test func theLastSaveFitsBeforeTheDeadline() throws {
    try boundary(1100) { boundary, wait in
      for step in 1...8 {
        wait(10)
        boundary.recordStep(10)
        let decision = try Self.agree(boundary, step)
        // After step 8, at 1080, another step and a save might end at 1094; at 1090 at 1104.
        #expect(!decision.stops, "step \(step)")
      }
      wait(10)
      boundary.recordStep(10)
      let last = try Self.agree(boundary, 9)
      #expect(last.stops && last.saves && last.isLate && !last.lacksTime)
    }
  }

  @Test func aSaveThatCannotEndInTimeIsNotStarted() throws {
    try boundary(1001) { boundary, _ in
      let decision = try Self.agree(boundary, 30)
      #expect(decision.stops && decision.isLate && decision.lacksTime && !decision.saves)
      #expect(boundary.refusal.contains("takes up to 2.0 s"))
      // After the last step it is tried all the same.
      let last = try Self.agree(boundary, 100)
      #expect(last.saves)
    }
  }
}
