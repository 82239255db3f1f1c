import Archives
import Autograd
import Checkpoints
import Collectives
import Configuration
import Datasets
import Networks
import Objectives
import Optimizers
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
    /// Of this process, evaluation included.
    public var seconds = 0.0
    /// Which weights `final.safetensors` holds: `parameters` or their `average`.
    public var weights = "parameters"
  }

  public let recipe: Recipe
  public let folder: RunFolder
  let communicator: any Communicator
  private let version: String
  private let pool = BufferPool()
  private let products = OpenBLASProducts()
  /// Human text on rank 0.
  private let say: (String) -> Void

  public init(
    _ recipe: Recipe, output: String, communicator: any Communicator, version: String,
    say: @escaping (String) -> Void
  ) {
    self.recipe = recipe
    self.folder = RunFolder(output)
    self.communicator = communicator
    self.version = version
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
    let train = try open(recipe.data.train, split: recipe.data.trainSplit, key: "data.train")
    let network = try makeNetwork()
    let description = network.model.description
    try description.check(train, path: recipe.data.train)
    let pipeline = try makePipeline(train, description)
    let plan = makePlan(pipeline.plan)
    let rule = try makeRule(plan)
    let evaluator = try makeEvaluator(description)

    try prepareFolder(resume: resume, force: force)
    let store = try CheckpointStore(
      folder.checkpoints, communicator: communicator, options: recipe.checkpoints)
    let identity = identity(of: network, train)
    try agree(identity, plan)
    let training = try TrainingStep(
      network, rule: rule, plan: plan, teacher: try makeTeacher(description),
      communicator: communicator, products: products, pool: pool)
    let origin = try checkpoint(resume, store)
    if let origin {
      let begun = resume == .automatic ? begunConfig : nil
      let comparison = begun.map { ConfigComparison(from: $0, to: recipe) }
      try Compatibility(plan, identity).check(origin, comparison, force: force, say: say)
      if let summary = try completed(origin, plan) { return .wasComplete(summary) }
    }
    try writeConfig()
    let log = try makeLog(plan, resumingAfter: origin?.step ?? 0)
    let trainer = Trainer(
      training, identity: identity, cadence: cadence(plan), evaluator: evaluator,
      checkpoints: store, log: log, communicator: communicator, pool: pool)
    if let origin { try trainer.restore(origin) }
    announce(network, plan, from: trainer.step)

    // Loaders have a pool of their own: which block a tensor of the step gets never depends on them.
    let batches = LoadedBatches(
      pipeline, plan: plan, from: trainer.step, shards: training.reducer.localShards,
      threads: recipe.data.loaderThreads, depth: recipe.data.prefetch, pool: BufferPool())
    try trainer.run(batches)
    var summary = Summary()
    summary.seconds = (ContinuousClock.now - start) / .seconds(1)
    try finish(trainer, &summary)
    return .trained(summary)
  }
}

// MARK: - Parts

extension TrainingRun {
  private func open(_ path: String, split: String, key: String) throws -> ShardSet {
    guard !path.isEmpty else {
      throw ConfigurationError(
        key, "no data is named", remedy: "Give a folder made by `vitdist shards create`")
    }
    do {
      return try ShardSet(path, split: split)
    } catch let error as ArchiveError where error.path == path {
      throw ArchiveError(
        error.kind, path: "\(key): \(path)", error.problem, remedy: error.remedy)
    }
  }

  private func makeNetwork() throws -> Network {
    let network = Network(recipe.model.value, seed: UInt64(recipe.seed), pool: pool)
    if !recipe.initialization.weights.isEmpty {
      let file = try SafeTensors.read(recipe.initialization.weights)
      let report = try network.load(
        file, heads: .startAfresh, interpolation: recipe.initialization.positionInterpolation)
      if !report.freshHeads.isEmpty {
        say("\(report.freshHeads.joined(separator: ", ")) start afresh: other classes")
      }
    }
    return network
  }

  private func makePipeline(
    _ source: ShardSet, _ description: ClassifierDescription
  ) throws -> BatchPipeline {
    try BatchPipeline(
      source: source, image: description.imageShape, batchSize: recipe.batch.size,
      virtualShards: recipe.batch.virtualShards, seed: UInt64(recipe.seed),
      augmentation: recipe.data.augmentation, decoding: recipe.data.decoding,
      statistics: description.statistics)
  }

  private func makePlan(_ batches: BatchPlan) -> TrainingPlan {
    TrainingPlan(
      seed: UInt64(recipe.seed), batches: batches, microBatch: recipe.batch.microBatch,
      totalSteps: recipe.totalSteps(stepsPerEpoch: batches.stepsPerEpoch))
  }

  private func makeRule(_ plan: TrainingPlan) throws -> TrainingStep.Rule {
    let (optimizer, schedule) = (recipe.optimizer.value, recipe.schedule.value)
    try schedule.check(base: optimizer.learningRate, run: plan.runLength)
    return TrainingStep.Rule(
      objective: recipe.objective.value, optimizer: optimizer, schedule: schedule,
      clipping: recipe.clipping, average: recipe.average, nonFinite: recipe.nonFinite)
  }

  private func makeTeacher(_ student: ClassifierDescription) throws -> FrozenModel? {
    let teacher = recipe.objective.value.teacher
    guard !teacher.weights.isEmpty else { return nil }
    let model =
      teacher.model.isEmpty
      ? nil : try Choice<BackboneCatalog>(yaml: "kind: \(teacher.model)", name: "objective.teacher")
    let network = try Network(weights: teacher.weights, model: model, pool: pool)
    let taught = network.model.description
    guard taught.classes == student.classes, taught.side == student.side,
      taught.channels == student.channels
    else {
      throw ArchiveError(
        .badData, path: teacher.weights,
        "the teacher takes \(taught.side) px images of \(taught.channels) channels in "
          + "\(taught.classes) classes, the student \(student.side) px, \(student.channels), "
          + "\(student.classes)",
        remedy: "Give a teacher of the same images and classes")
    }
    return FrozenModel(network.model, network.parameters)
  }

  private func makeEvaluator(_ description: ClassifierDescription) throws -> Evaluator? {
    guard !recipe.data.validation.isEmpty else { return nil }
    let source = try open(
      recipe.data.validation, split: recipe.data.validationSplit, key: "data.validation")
    try description.check(source, path: recipe.data.validation)
    let pipeline = try EvaluationPipeline(
      source: source, image: description.imageShape, chunkSize: recipe.evaluation.chunk,
      options: recipe.data.evaluation, decoding: recipe.data.decoding)
    return Evaluator(
      pipeline, communicator: communicator, products: products, pool: pool,
      threads: max(1, recipe.data.loaderThreads))
  }

  private func cadence(_ plan: TrainingPlan) -> Cadence {
    var cadence = Cadence(stepsPerEpoch: plan.stepsPerEpoch, totalSteps: plan.totalSteps)
    cadence.evaluateEveryEpochs = recipe.evaluation.everyEpochs
    cadence.saveEverySteps = recipe.checkpoints.everySteps
    cadence.savesJudged = recipe.checkpoints.keepBest > 0
    cadence.checkReplicasEverySteps = recipe.replicaCheck.everySteps
    return cadence
  }

  private func makeLog(_ plan: TrainingPlan, resumingAfter step: Int) throws -> RunLog? {
    communicator.isRoot ? try RunLog(folder, plan: plan, resumingAfter: step) : nil
  }

  private func identity(of network: Network, _ train: ShardSet) -> Trainer.Identity {
    var identity = Trainer.Identity()
    identity.configDigest = SHA256Digest.of(recipe.canonical(excluding: ["about", "checkpoints"]))
    identity.dataFingerprint = train.fingerprint
    identity.blasKernel = products.kernel
    identity.version = version
    identity.model = ValueTree(encoding: network.backbone.choice).json
    return identity
  }

  /// All ranks run the same program on the same data with the same kernels, or none does.
  private func agree(_ identity: Trainer.Identity, _ plan: TrainingPlan) throws {
    try Agreement.check(
      [
        ("version", identity.version), ("config", identity.configDigest),
        ("data", identity.dataFingerprint), ("BLAS kernel", identity.blasKernel),
        ("virtual shards", "\(plan.batches.virtualShards)"),
      ], on: communicator)
  }

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

  private func announce(_ network: Network, _ plan: TrainingPlan, from step: Int) {
    let count = network.parameters.layout.parameterCount
    let ranks = "\(communicator.size) rank\(communicator.size == 1 ? "" : "s")"
    say(
      "\(recipe.model.kind): \(count) parameters, \(ranks), \(products.kernel) kernels\n"
        + "\(plan.batches.sampleCount) images; \(plan.totalSteps) steps of "
        + "\(plan.batches.batchSize) images in \(plan.batches.virtualShards) virtual shards; "
        + "micro-batches of \(plan.microBatch)\n"
        + (step > 0 ? "going on after step \(step) in \(folder.path)" : "writing to \(folder.path)")
    )
  }
}
