import Archives
import Checkpoints
import Configuration
import Training

extension TrainingRun {
  /// Makes the output folder; refuses to begin over another run.
  func prepareFolder(resume: Resume, force: Bool) throws {
    try onRoot {
      try FileSystem.makeFolder(folder.path)
      if resume == .never, FileSystem.exists(folder.checkpoints) {
        guard force else {
          throw ArchiveError(
            .inputOutput, path: folder.path,
            "the folder holds a run, and --resume none would end it",
            remedy: "Give another --output, --resume auto to go on, or --force to begin anew")
        }
        try FileSystem.removeFolder(folder.checkpoints)
      }
      try FileSystem.makeFolder(folder.tensorBoard)
    }
  }

  /// Writes the resolved config, once it is known that the folder is this run's.
  func writeConfig() throws {
    try onRoot { try DurableFile.write(recipe.yaml, to: folder.config) }
  }

  /// Says that the run stopped in order and is to be started again, for scripts that cannot see the
  /// exit code 75: mpirun returns 1 if the signal was sent to itself.
  func writeStopMark(_ step: Int) throws {
    var mark = ValueTree.Mapping()
    mark["step"] = ValueTree(.integer(step))
    let text = ValueTree(.mapping(mark)).json + "\n"
    try onRoot { try DurableFile.write(text, to: folder.stopped) }
  }

  /// The run goes on.
  func removeStopMark() throws {
    try onRoot { try FileSystem.remove(folder.stopped) }
  }

  /// The config that the run in the folder was begun with; nil if there is none that can be read.
  var begunConfig: Recipe? {
    FileSystem.exists(folder.config) ? try? Recipe(file: folder.config) : nil
  }

  /// What a run came to whose last step is done and whose files are all written; nil for others.
  func completed(_ origin: CheckpointManifest, _ plan: TrainingPlan) throws -> Summary? {
    guard origin.step >= plan.totalSteps else { return nil }
    var text = ""
    if communicator.isRoot, FileSystem.exists(folder.weights), FileSystem.exists(folder.summary) {
      let file = try? FileReader(folder.summary)
      let bytes = try? file?.bytes(at: 0, count: file?.size ?? 0)
      text = String(decoding: bytes ?? [], as: UTF8.self)
    }
    let told = try communicator.broadcast(text)
    let tree = try? ValueTree(json: told.utf8, name: folder.summary)
    guard let summary = try? tree?.decoded(as: Summary.self), summary.steps == origin.step else {
      return nil
    }
    return summary
  }

  /// Weights, curves, summary.
  func finish(_ trainer: Trainer, _ summary: inout Summary) throws {
    let plan = trainer.training.plan
    let weights = try trainer.finalWeights()
    summary.steps = trainer.step
    summary.epochs = Double(trainer.step) / Double(plan.stepsPerEpoch)
    summary.parameters = weights.layout.parameterCount
    summary.ranks = communicator.size
    summary.weights = trainer.training.average == nil ? "parameters" : "average"
    if let judgement = trainer.judgement {
      summary.validation = judgement.scores
      summary.figures = Dictionary(
        uniqueKeysWithValues: judgement.figures.map { ($0.name, $0.value) })
      summary.hasValidation = true
    }
    let written = summary
    try onRoot {
      try trainer.training.network.export(to: folder.weights, values: weights.values)
      try DurableFile.write(ValueTree(encoding: written).json + "\n", to: folder.summary)
    }
  }

  /// Runs on rank 0; if it throws there, every rank throws the same error.
  private func onRoot(_ body: () throws -> Void) throws {
    var failure: ArchiveError?
    if communicator.isRoot {
      do { try body() } catch let error as ArchiveError { failure = error }
    }
    let parts = failure.map { [$0.kind == .badData ? "65" : "74", $0.path, $0.problem, $0.remedy] }
    let told = try communicator.broadcast((parts ?? []).joined(separator: "\u{1F}"))
    let pieces = told.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
    guard pieces.count == 4 else { return }
    throw ArchiveError(
      pieces[0] == "65" ? .badData : .inputOutput, path: pieces[1], pieces[2], remedy: pieces[3])
  }
}
