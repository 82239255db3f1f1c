import Collectives
import Configuration
import Testing
import Training

@Suite struct BalanceTests {
  private func times(_ compute: [Double]) -> RankTimes {
    RankTimes(compute: compute, data: compute.map { _ in 0 }, wait: compute.map { _ in 0 })
  }

  @Test(arguments: ["odd", "", "8,x", "4,-4,8", "4,,4", "0,8"]) func nonsenseIsRefused(
    _ text: String
  ) {
    let error = #expect(throws: ConfigurationError.self) { try Balance(text) }
    #expect(error?.key == "balance")
  }

  @Test func aListMustFitTheRun() throws {
    let list = try Balance("5, 3")
    #expect(try list.assignment(shards: 8, ranks: 2)?.counts == [5, 3])
    #expect(try Balance("auto").assignment(shards: 8, ranks: 2) == nil)
    for (shards, ranks) in [(8, 3), (9, 2)] {
      #expect(throws: ConfigurationError.self) {
        try list.assignment(shards: shards, ranks: ranks)
      }
    }
  }

  /// Sixteen shards each at first; one rank takes half as long again.
  @Test func aSlowRankIsGivenLess() {
    let even = ShardAssignment(even: 32, ranks: 2)
    #expect(Balance.measured.better(than: even, times([1, 1.5]))?.counts == [19, 13])
    #expect(Balance.measured.better(than: even, times([1, 1.04])) == nil)
    #expect(Balance.even.better(than: even, times([1, 1.5])) == nil)
    let dealt = ShardAssignment(counts: [19, 13])
    #expect(Balance.measured.better(than: dealt, times([1.19, 1.22])) == nil)
  }

  @Test func imbalanceIsTheSlowestOverTheMean() {
    #expect(times([1, 1, 2, 0]).imbalance == 2 && times([1, 1, 2, 0]).slowest == 2)
    #expect(times([0, 0]).imbalance == 1)
  }

  /// Comparisons of 5 ms beside steps of 100 ms are made every fifth step, not beside steps of a second.
  @Test(arguments: [(0.1, 5), (1.0, 1)]) func comparisonsKeepToTheirShare(
    _ seconds: Double, _ period: Int
  ) {
    var cadence = ReplicaCadence(everySteps: 1, share: 0.01)
    cadence.record(0.005)
    var made = 0
    for _ in 0..<1000 where cadence.isDue(afterStepOf: seconds) {
      cadence.record(0.005)
      made += 1
    }
    #expect(abs(made - 1000 / period) <= 6, "\(made)")
  }

  @Test func comparisonsComeNoOftenerThanAsked() {
    var cadence = ReplicaCadence(everySteps: 4, share: 1)
    cadence.record(0)
    var last = 0
    for step in 1...40 where cadence.isDue(afterStepOf: 1) {
      // Wanted for the step that follows.
      #expect(step - last == 4 || last == 0, "\(step) after \(last)")
      last = step
      cadence.record(0)
    }
    #expect(last > 30)
    var none = ReplicaCadence(everySteps: 0, share: 1)
    #expect((0..<9).allSatisfy { _ in !none.isDue(afterStepOf: 1) })
  }
}
