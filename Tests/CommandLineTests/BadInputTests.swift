import Archives
import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// What a user can get wrong: one paragraph that names the thing, and the contract's exit code.
  @Suite struct BadInputTests {
    @Test func aMisspeltKeyNamesTheNearest() throws {
      let run = try SmallRun()
      try refused(
        run.training("out", ["optimizer.learningrate=1e-3"]), status: 64,
        naming: ["optimizer.learningrate", "learningRate"])
    }

    @Test func aBatchMustBeDivisibleByItsShards() throws {
      let run = try SmallRun()
      try refused(run.training("out", ["batch.size=65"]), status: 64, naming: ["65", "32"])
    }

    @Test(arguments: [
      ("{kind: adversarial, attack: {kind: pgd, steps: x}}", "attack.steps"),
      ("{kind: free, replays: 0}", "replays"),
      ("{kind: distillation, teacher: {weights: w}}", "teacher"),
    ]) func anObjectiveToTimeIsChecked(_ objective: String, _ key: String) throws {
      try refused(
        ["bench", "step", "--objective", objective], status: 64, naming: ["--objective", key])
    }

    @Test func aMissingDataFolderIsNamed() throws {
      let run = try SmallRun()
      try refused(
        run.training("out", ["data.train=\(run.path("nowhere"))"]), status: 74,
        naming: [run.path("nowhere")])
    }

    @Test func aShardCutShortIsNamed() throws {
      let run = try SmallRun()
      let shard = try run.shards("train")[0]
      let whole = try Data(contentsOf: URL(fileURLWithPath: shard))
      try whole.prefix(whole.count * 2 / 3).write(to: URL(fileURLWithPath: shard))
      try refused(run.training("out"), status: 65, naming: [shard])
    }

    @Test func aLabelOutOfRangeIsNamed() throws {
      let run = try SmallRun()
      let shard = try run.shards("train")[1]
      let file = try HDF5File(updating: shard)
      try file.dataset("labels").write([Int64(99)], at: [17], count: [1])
      try file.close()
      try refused(run.training("out"), status: 65, naming: [shard, "99"])
    }

    @Test func aFolderWithoutShardsIsNamed() throws {
      let run = try SmallRun()
      let empty = run.path("empty")
      try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
      try refused(run.training("out", ["data.train=\(empty)"]), status: 65, naming: [empty])
    }

    @Test func labelsMustFitTheModel() throws {
      let run = try SmallRun()
      try refused(run.training("out", ["model.classes=4"]), status: 65, naming: ["4", "10"])
    }

    @Test func weightsOfAnotherModelNameTheTensor() throws {
      let run = try SmallRun()
      let trained = try Program.run(run.training("run", ["steps=2", "schedule.warmupEpochs=0"]))
      try #require(trained.status == 0, "\(trained.errors)")
      try refused(
        [
          "predict", "--model", "vit_tiny_patch16_224",
          "--weights", run.path("run/final.safetensors"),
          "--data", run.path("validation"), "--output", run.path("predictions.h5"),
        ], status: 65, naming: ["cls_token", "192", "32"])
    }

    @Test func brokenWeightsAreNamed() throws {
      let run = try SmallRun()
      let weights = run.path("w.safetensors")
      try Data(repeating: 0xFF, count: 100).write(to: URL(fileURLWithPath: weights))
      try refused(
        ["evaluate", "--weights", weights, "--data", run.path("validation")],
        status: 65, naming: ["w.safetensors"])
    }

    /// Root may write anywhere, so the way is blocked by a file.
    @Test func anUnwritableOutputIsNamed() throws {
      let run = try SmallRun()
      try Data().write(to: run.folder.appendingPathComponent("file"))
      try refused(run.training("file/out"), status: 74, naming: ["file/out"])
    }

    @Test func anUnknownOptionIsACommandLineError() throws {
      try refused(
        ["train", "--config", "x.yaml", "--otput", "y"], status: 64, naming: ["--otput"],
        isParagraph: false)
    }

    @Test func anUnknownPrecisionIsNamed() throws {
      let run = try SmallRun()
      try refused(run.training("out", ["precision=f23"]), status: 64, naming: ["precision", "f32"])
    }

    @Test(mpirunIsThere) func underMpirunOneRankSpeaks() throws {
      let run = try SmallRun()
      try refused(
        run.training("out", ["batch.size=65"]), ranks: 3, status: 64, naming: ["65", "32"],
        isParagraph: false)
    }
  }
}
