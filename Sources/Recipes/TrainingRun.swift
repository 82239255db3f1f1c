import Archives
import Checkpoints
import Collectives
import Networks
import Tensors
import Training

/// Puts a run together from its recipe, starts or resumes it, and writes what it leaves behind.
public struct TrainingRun {
  /// From which state a run starts.
  public enum Resume: Sendable, Equatable {
    /// From the newest checkpoint of the output folder, if there is one.
    case automatic
    /// From the beginning.
    case never
    /// From this checkpoint, or the newest in this folder.
    case from(String)
  }

  /// `summary.json`.
  public struct Summary: Codable, Sendable {
    public var steps = 0
    public var epochs = 0.0
    public var parameters = 0
    public var ranks = 1
    public var validation = EvaluationResult()
    public var hasValidation = false
    /// All figures of the last judgement, by their names in metrics.jsonl.
    public var figures: [String: Double] = [:]
    /// Of this process, evaluation included.
    public var seconds = 0.0
    /// Which weights `final.safetensors` holds: `parameters` or their `average`.
    public var weights = "parameters"
  }

  public let recipe: Recipe
  public let folder: RunFolder
  let communicator: any Communicator
  let version: String
  let deadline: Deadline
  /// Through which this rank's checkpoints are written.
  let storage: Storage
  /// Where this rank notes what it does.
  let marks: Marks
  let fault: TrainingFault?
  let pool = BufferPool()
  /// The threads of this rank.
  let team: ThreadTeam
  let products: any MatrixProducts
  /// Human text on rank 0.
  let say: (String) -> Void

  /// - Parameters:
  ///   - deadline: by which the state is to be saved; rank 0's counts.
  ///   - storage: through which this rank's checkpoints are written; with a fault in it in tests.
  ///   - marks: of this rank's watchdog.
  ///   - fault: what a test puts into the steps of a rank.
  public init(
    _ recipe: Recipe, output: String, communicator: any Communicator, version: String,
    deadline: Deadline = .none, storage: Storage = Storage(), marks: Marks = .none,
    fault: TrainingFault? = nil, say: @escaping (String) -> Void
  ) {
    self.recipe = recipe
    self.products = recipe.precision.products(from: pool)
    team = ThreadTeam(recipe.threads, pool: pool)
    self.folder = RunFolder(output)
    self.communicator = communicator
    self.version = version
    self.deadline = deadline
    self.storage = storage
    self.marks = marks
    self.fault = fault
    self.say = say
  }

  /// How a run was found and left.
  public enum Outcome: Sendable {
    case trained(Summary)
    /// All steps were done before and all files written: nothing was touched.
    case wasComplete(Summary)

    public var summary: Summary {
      switch self {
      case .trained(let summary), .wasComplete(let summary): summary
      }
    }
  }

  /// Trains to the end.
  ///
  /// - Parameters:
  ///   - force: begin anew in a folder that holds another run, or go on though data or batch differ.
  public func run(resume: Resume, force: Bool) throws -> Outcome {
    let start = ContinuousClock.now
    marks(.prepare)
    let parts = try makeParts()
    marks(.agree)
    try agree(parts)
    try prepareFolder(resume: resume, force: force)
    let store = try CheckpointStore(
      folder.checkpoints, communicator: communicator, options: recipe.checkpoints,
      storage: storage)
    marks(.restore)
    let origin = try checkpoint(resume, store)
    if let origin {
      let begun = resume == .automatic ? begunConfig : nil
      let comparison = begun.map { ConfigComparison(from: $0, to: recipe) }
      try Compatibility(parts.plan, parts.identity)
        .check(origin, comparison, force: force, say: say)
      if let summary = try completed(origin, parts.plan) { return .wasComplete(summary) }
    }
    try writeConfig()
    try removeStopMark()
    let trainer = try makeTrainer(parts, store, resumingAfter: origin?.step ?? 0)
    if let origin {
      marks(.restore, 1)
      for difference in try trainer.restore(origin) { say("note: \(difference)") }
    }
    announce(parts.network, trainer.training, from: trainer.step)

    do {
      try trainer.run { step, shards in makeBatches(parts, from: step, shards: shards) }
    } catch let error as TrainingError where error.isStop {
      try writeStopMark(trainer.step)
      throw error
    }
    var summary = Summary()
    summary.seconds = (ContinuousClock.now - start) / .seconds(1)
    try finish(trainer, &summary)
    return .trained(summary)
  }
}

extension TrainingRun {
  private func checkpoint(_ resume: Resume, _ store: CheckpointStore) throws -> CheckpointManifest?
  {
    let found: CheckpointManifest? =
      switch resume {
      case .automatic: try store.newest()
      case .never: nil
      case .from(let path): try store.open(path)
      }
    for damaged in store.skipped { say("passed over a damaged checkpoint: \(damaged)") }
    return found
  }
}
