import TestSupport
import Testing

extension ProgramTests {
  /// Models with batch statistics keep the promises: running values are state like weights are.
  @Suite(mpirunIsThere) struct BackboneRunTests {
    static let models = [
      (
        "rvt",
        """
        model={kind: rvt, imageSize: 32, widths: [16, 32], heads: [2, 2], depths: [1, 1], \
        maskedBlocks: 1, classes: 10, dropPath: 0.2}
        """
      ),
      (
        "fan",
        """
        model={kind: fan, imageSize: 32, stem: convnext, stemWidths: [8, 16], stemDepths: [1, 1], \
        width: 16, depth: 2, heads: 2, classes: 10, dropPath: 0.2, recomputeBlocks: true}
        """
      ),
    ]

    @Test(arguments: models)
    func anyNumberOfRanksGivesTheSameBits(_ name: String, _ model: String) throws {
      let run = try SmallRun()
      let settings = [model, "steps=18", "checkpoints.everySteps=9"]
      try train(run, "\(name)0", ranks: 0, settings)
      for ranks in [1, 2, 3, 4, 8] {
        try train(run, "\(name)\(ranks)", ranks: ranks, settings)
        #expect(try run.losses("\(name)\(ranks)") == run.losses("\(name)0"), "\(ranks) ranks")
        #expect(try run.digest("\(name)\(ranks)") == run.digest("\(name)0"), "\(ranks) ranks")
      }
      let half = run.path("\(name)3/checkpoints/step_00000009")
      try train(run, "\(name)-resumed", ranks: 2, settings, resume: half)
      #expect(try run.digest("\(name)-resumed") == run.digest("\(name)0"))
      let weights = run.path("\(name)-resumed/final.safetensors")
      let outcome = try Program.run([
        "evaluate", "--weights", weights, "--data", run.path("validation"),
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// The occluded half has batch statistics of its own, and leaves the running ones alone.
    @Test(arguments: models)
    func robustObjectivesAreExact(_ name: String, _ model: String) throws {
      let run = try SmallRun()
      for (number, objective) in [
        "{kind: rspc, rho: 0.5, of: {kind: ksparse, k: 2, roundSteps: 4, rounds: 3}}",
        "{kind: rspc, rho: 0.5, batchStatistics: joint}",
      ].enumerated() {
        let settings = [model, "objective=\(objective)", "steps=15"]
        let alone = "\(name)\(number)"
        try train(run, alone, ranks: 0, settings)
        for ranks in [2, 3, 4, 8] {
          let shared = "\(alone)-\(ranks)"
          try train(run, shared, ranks: ranks, settings)
          #expect(try run.losses(shared) == run.losses(alone), "\(ranks) ranks")
          #expect(try run.digest(shared) == run.digest(alone), "\(ranks) ranks")
        }
      }
    }

    /// The message names the value that mends it.
    @Test func aMicroBatchMustBeAShard() throws {
      let run = try SmallRun()
      try refused(
        run.training("out", [Self.models[0].1, "batch.microBatch=1"]), status: 64,
        naming: ["batch.microBatch", "batch.microBatch: 2"])
    }

    private func train(
      _ run: SmallRun, _ name: String, ranks: Int, _ settings: [String], resume: String = "auto"
    ) throws {
      let outcome = try Program.run(
        run.training(name, settings) + ["--resume", resume], ranks: ranks, seconds: 240)
      try #require(outcome.status == 0, "\(name): \(outcome.errors.suffix(2000))")
    }
  }
}
