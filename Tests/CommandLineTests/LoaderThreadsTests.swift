import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// Promise P1 in time: what loader threads do while a step computes changes no bit of it. A tensor
  /// whose memory went back to the pool too early, where a loader takes it, fails this about every
  /// second time.
  @Suite struct LoaderThreadsTests {
    @Test func busyLoadersChangeNoBit() throws {
      let run = try SmallRun()
      let settings = [
        "model.patchSize=4", "model.depth=1", "model.width=16", "model.heads=1", "model.mlpRatio=1",
        "batch.size=128", "batch.virtualShards=16", "batch.microBatch=8", "steps=600",
        "checkpoints.everySteps=600", "evaluation.everyEpochs=0", "data.prefetch=16",
      ]
      var digests: Set<String> = []
      for (name, threads) in [("none", 0), ("few", 1), ("many", 6), ("again", 6), ("third", 6)] {
        let arguments = run.training(name, settings + ["data.loaderThreads=\(threads)"])
        let outcome = try Program.run(arguments, ranks: 0, seconds: 120)
        try #require(outcome.status == 0, "\(outcome.errors.suffix(2000))")
        digests.insert(try run.digest(name))
      }
      #expect(digests.count == 1)
    }
  }
}
