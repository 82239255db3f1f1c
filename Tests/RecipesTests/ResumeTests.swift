import Archives
import Checkpoints
import Collectives
import Configuration
import Datasets
import Recipes
import TestSupport
import Testing
import Training

/// Which checkpoints a run continues, and which it refuses. Runs of four tiny steps in this process.
@Suite(.serialized) struct ResumeTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    try makeShards("train", seed: 1)
  }

  private func makeShards(_ name: String, seed: UInt64) throws {
    var options = SyntheticOptions()
    (options.count, options.imageSize, options.seed) = (48, 16, seed)
    let source = try SyntheticImages(options, split: .train)
    let input = try SampleSourceInput(source, identity: "\(seed)")
    _ = try ShardBuilder().build(input, output: folder[name])
  }

  private func recipe(_ overrides: [String] = []) throws -> Recipe {
    try Recipe(
      yaml: """
        seed: 3
        model: {kind: vit, imageSize: 16, patchSize: 8, width: 16, depth: 1, heads: 2, classes: 10}
        data: {train: \(folder["train"]), loaderThreads: 0}
        schedule: {kind: constant, warmupEpochs: 0}
        batch: {size: 8, virtualShards: 4, microBatch: 2}
        steps: 4
        checkpoints: {everySteps: 2, keepLast: 5}
        """, overrides: overrides)
  }

  /// The lines that the run said, and its summary.
  @discardableResult
  private func train(
    _ overrides: [String] = [], output: String = "run", resume: TrainingRun.Resume = .automatic,
    force: Bool = false
  ) throws -> (said: String, summary: TrainingRun.Summary) {
    var said: [String] = []
    let run = TrainingRun(
      try recipe(overrides), output: folder[output], communicator: SoloCommunicator(),
      version: "test", say: { said.append($0) })
    let summary = try run.run(resume: resume, force: force).summary
    return (said.joined(separator: "\n"), summary)
  }

  private func digest(_ output: String) throws -> String {
    try CheckpointFiles(folder["\(output)/checkpoints"]).digest()
  }

  @Test func aRunGoesOnWhereItStood() throws {
    try train(output: "whole")
    try train(["steps=2"], output: "run")
    let (said, summary) = try train(output: "run")
    #expect(
      said.contains("going on after step 2") && said.contains("steps was 2 and is 4"), "\(said)")
    #expect(summary.steps == 4)
    #expect(try digest("run") == digest("whole"))
  }

  @Test func aFinishedRunIsDone() throws {
    try train()
    let before = try digest("run")
    let (said, summary) = try train(["about=again", "data.loaderThreads=1"])
    #expect(said.isEmpty && summary.steps == 4, "\(said)")
    #expect(try digest("run") == before)
  }

  @Test func aRunWhoseWeightsAreGoneWritesThemAgain() throws {
    try train()
    let weights = folder["run/final.safetensors"]
    try FileSystem.remove(weights)
    #expect(try train().said.contains("going on after step 4"))
    #expect(FileSystem.exists(weights))
  }

  @Test func aRefusedConfigIsNotWritten() throws {
    try train(["steps=2"])
    let error = #expect(throws: CheckpointError.self) {
      try train(["steps=2", "optimizer.kind=sgd"])
    }
    #expect(error?.problem.hasSuffix("optimizer.kind was \"adamw\" and is \"sgd\"") == true)
    #expect(try Recipe(file: folder["run/config.yaml"]) == recipe(["steps=2"]))
  }

  @Test func anotherFoldersCheckpointCanBeContinued() throws {
    try train(output: "whole")
    try train(["steps=2"], output: "first")
    let (said, _) = try train(output: "second", resume: .from(folder["first/checkpoints"]))
    #expect(said.contains("going on after step 2"), "\(said)")
    #expect(try digest("second") == digest("whole"))
  }

  @Test(arguments: [
    ("seed=4", "seed was 3 and is 4"), ("batch.size=16", "batch.size was 8 and is 16"),
    ("batch.virtualShards=8", "batch.virtualShards was 4 and is 8"),
  ]) func anotherRunIsRefusedWithoutForce(_ change: String, _ words: String) throws {
    try train(["steps=2"])
    let error = #expect(throws: CheckpointError.self) { try train([change]) }
    #expect(error?.kind == .badData)
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    #expect(try train([change], force: true).said.contains(words))
  }

  @Test func otherDataAreRefused() throws {
    try train(["steps=2"])
    try makeShards("other", seed: 2)
    let error = #expect(throws: CheckpointError.self) {
      try train(["data.train=\(folder["other"])"])
    }
    #expect(error?.description.contains("the data's fingerprint") == true)
  }

  @Test func anotherModelIsRefusedEvenWithForce() throws {
    try train(["steps=2"])
    for (force, names) in [
      (false, ["another run", "model.width was 16 and is 32"]),
      (true, ["another model", "cls_token", "[1, 1, 32]", "[1, 1, 16]"]),
    ] {
      let error = #expect(throws: CheckpointError.self) {
        try train(["model.width=32"], force: force)
      }
      #expect(error?.kind == .badData)
      for name in names {
        #expect(error?.description.contains(name) == true, "\(String(describing: error))")
      }
    }
  }

  @Test func anotherOptimizerIsRefused() throws {
    try train(["steps=2"])
    let error = #expect(throws: CheckpointError.self) { try train(["optimizer.kind=sgd"]) }
    #expect(error?.kind == .badData)
    #expect(error?.description.contains("optimizer") == true, "\(String(describing: error))")
  }

  @Test func nothingIsOverwrittenWithoutForce() throws {
    try train(["steps=2"])
    let before = try digest("run")
    let error = #expect(throws: ArchiveError.self) { try train(resume: .never) }
    #expect(error?.kind == .inputOutput && error?.description.contains("--force") == true)
    #expect(try digest("run") == before)
    #expect(try !train(resume: .never, force: true).said.contains("going on"))
  }

  @Test func aFolderWithoutCheckpointIsNamed() throws {
    try FileSystem.makeFolder(folder["empty"])
    let error = #expect(throws: CheckpointError.self) {
      try train(resume: .from(folder["empty"]))
    }
    #expect(error?.description.contains(folder["empty"]) == true)
    #expect(error?.kind == .inputOutput)
  }

  @Test func theFolderHoldsWhatTheRunLeaves() throws {
    try train()
    for name in ["config.yaml", "metrics.jsonl", "final.safetensors", "summary.json"] {
      #expect(FileSystem.exists(folder["run/\(name)"]), "\(name)")
    }
    #expect(FileSystem.exists(folder["run/checkpoints/step_00000004/manifest.json"]))
    let resolved = try Recipe(file: folder["run/config.yaml"])
    #expect(try resolved == recipe())
  }
}
