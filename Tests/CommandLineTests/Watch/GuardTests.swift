import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// What a run does about numbers that are not finite, replicas that differ and ranks of unequal speed.
  @Suite(mpirunIsThere) struct GuardTests {
    private static let settings = [
      "steps=10", "schedule.kind=constant", "schedule.warmupEpochs=0", "evaluation.everyEpochs=0",
      "checkpoints.everySteps=1000000",
    ]

    /// Averages, moments and what `free` remembers of the batch do not move in a skipped step.
    @Test(arguments: [
      "{kind: supervised}", "{kind: free, replays: 2}", "{kind: rspc, rho: 0.25}",
    ]) func aSkippedStepMovesNothing(_ objective: String) throws {
      let run = try SmallRun()
      let settings =
        Self.settings + [
          "objective=\(objective)", "nonFinite=skip",
          "data.augmentation.randomErasing.probability=0",
        ]
      let before = try run.train("before", ranks: 0, settings + ["steps=7"])
      try #require(before.status == 0, "\(before.errors)")
      let digest = try run.digest("before")
      for (ranks, threads) in [(0, 1), (2, 1), (4, 1), (0, 3), (2, 2)] {
        let name = "skipped\(ranks)threads\(threads)"
        let outcome = try run.train(
          name, ranks: ranks, fault: "nan:shard=17,step=8",
          settings + ["steps=8", "threads=\(threads)"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(try run.digest(name) == digest, "\(name)")
        let words = "step 8 was skipped: the gradient of"
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        let rank = 17 * max(1, ranks) / 32
        #expect(
          outcome.errors.contains("in virtual shard 17, on rank \(rank)"), "\(outcome.errors)")
        let lines = try run.metrics(name, with: "skipped")
        #expect(lines.count == 1 && lines.first?["nonFinite.shard"] as? Int == 17)
      }
    }

    @Test func aStepThatIsSkippedIsSkippedByAll() throws {
      let run = try SmallRun()
      let settings = Self.settings + ["nonFinite=skip"]
      for ranks in [0, 1, 2, 4] {
        let outcome = try run.train(
          "run\(ranks)", ranks: ranks, fault: "nan:shard=30,step=4", settings)
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(try run.digest("run\(ranks)") == run.digest("run0"), "\(ranks) ranks")
        #expect(try run.losses("run\(ranks)") == run.losses("run0"), "\(ranks) ranks")
      }
    }

    @Test(arguments: [1, 3]) func abortNamesTensorStepShardAndRank(_ threads: Int) throws {
      let run = try SmallRun()
      let outcome = try run.train(
        "run", ranks: 2, fault: "nan:shard=17,step=4", Self.settings + ["threads=\(threads)"])
      #expect(outcome.status == 70, "\(outcome.errors)")
      for word in [
        "step 4", "the gradient of", "virtual shard 17", "on rank 1 (", "nonFinite: skip",
      ] {
        #expect(outcome.errors.contains(word), "'\(word)' is not in: \(outcome.errors)")
      }
    }

    /// The bit flips after step 5, and is found before step 6 changes any weight.
    @Test(arguments: [(2, ["between ranks 0", "no majority"]), (3, ["on rank 1 ("])])
    func aFlippedBitIsFound(_ ranks: Int, _ words: [String]) throws {
      let run = try SmallRun()
      let outcome = try run.train(
        "run", ranks: ranks, fault: "flip:rank=1,step=5",
        Self.settings + ["replicaCheck.timeShare=1"])
      #expect(outcome.status == 77, "\(outcome.errors)")
      for word in words + ["step 6: blocks."] {
        #expect(outcome.errors.contains(word), "'\(word)' is not in: \(outcome.errors)")
      }
    }

    @Test func unevenSharesGiveTheSameBits() throws {
      let run = try SmallRun()
      let settings = Self.settings + ["steps=14", "checkpoints.everySteps=6"]
      try #require(try run.train("alone", ranks: 0, settings).status == 0)
      let (digest, losses) = (try run.digest("alone"), try run.losses("alone"))
      for (number, counts) in ["20,12", "1,31", "3,9,20"].enumerated() {
        let ranks = counts.split(separator: ",").count
        let outcome = try run.train(
          "list\(number)", ranks: ranks, settings + ["balance=\"\(counts)\""])
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(try run.digest("list\(number)") == digest, "\(counts)")
        #expect(try run.losses("list\(number)") == losses, "\(counts)")
      }
      let wrong = try run.train("wrong", ranks: 2, settings + ["balance=\"20,13\""])
      #expect(wrong.status == 64 && wrong.errors.contains("33 shards"), "\(wrong.errors)")
    }

    /// Rank 1 takes three times its time, is given less after eight steps, and what `free` remembers
    /// moves with the shards.
    @Test(arguments: ["{kind: supervised}", "{kind: free, replays: 2}"])
    func aSlowRankIsGivenLess(_ objective: String) throws {
      let run = try SmallRun()
      let settings =
        Self.settings + [
          "objective=\(objective)", "steps=20", "checkpoints.everySteps=12",
          "data.augmentation.randomErasing.probability=0",
        ]
      try #require(try run.train("alone", ranks: 0, settings).status == 0)
      let slow = "slow:rank=1,factor=4"
      let outcome = try run.train("auto", ranks: 2, fault: slow, settings + ["balance=auto"])
      try #require(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("virtual shards per rank are ["), "\(outcome.errors)")
      #expect(outcome.errors.contains("imbalance"), "\(outcome.errors)")
      #expect(try run.digest("auto") == run.digest("alone"))
      #expect(try run.losses("auto") == run.losses("alone"))
      #expect(try run.metrics("auto", with: "ranks.imbalance").count == 1)
    }
  }
}
