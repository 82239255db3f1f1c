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

extension TrainingRun {
  /// What a run consists of before it touches its folder.
  struct Parts {
    let network: Network
    let loss: any Loss
    let pipeline: BatchPipeline
    let plan: TrainingPlan
    let rule: TrainingStep.Rule
    let teacher: FrozenModel?
    let judge: Judge?
    let identity: Trainer.Identity
    /// Nil for even shares.
    let assignment: ShardAssignment?
  }

  func makeParts() throws -> Parts {
    let train = try open(recipe.data.train, split: recipe.data.trainSplit, key: "data.train")
    let (network, loss) = try makeNetwork()
    try recipe.batch.check(for: network.model)
    let description = network.model.description
    try description.check(train, path: recipe.data.train)
    let pipeline = try recipe.pipeline(over: train, for: description)
    let plan = makePlan(pipeline.plan)
    return Parts(
      network: network, loss: loss, pipeline: pipeline, plan: plan, rule: try makeRule(plan),
      teacher: try makeTeacher(description), judge: try makeJudge(description),
      identity: identity(of: network, train),
      assignment: try Balance(recipe.balance).assignment(
        shards: recipe.batch.virtualShards, ranks: communicator.size))
  }

  func makeTrainer(
    _ parts: Parts, _ store: CheckpointStore, resumingAfter step: Int
  ) throws -> Trainer {
    let training = try TrainingStep(
      parts.network, parts.loss, rule: parts.rule, plan: parts.plan, teacher: parts.teacher,
      communicator: communicator, products: products, pool: pool, team: team,
      assignment: parts.assignment, marks: marks, fault: fault)
    let log =
      communicator.isRoot
      ? try RunLog(
        folder, plan: parts.plan, resumingAfter: step, spikes: recipe.lossSpikes) : nil
    return Trainer(
      training, identity: parts.identity, cadence: cadence(parts.plan),
      judge: parts.judge, checkpoints: store, deadline: deadline,
      balance: try Balance(recipe.balance), names: try RankNames(communicator), log: log,
      communicator: communicator, pool: pool)
  }

  /// The batches of shards from a step on. Loaders have a pool of their own: which block a tensor of
  /// the step gets never depends on them.
  func makeBatches(_ parts: Parts, from step: Int, shards: Range<Int>) -> LoadedBatches {
    LoadedBatches(
      parts.pipeline, plan: parts.plan, from: step, shards: shards,
      threads: recipe.data.loaderThreads * team.size, depth: recipe.data.prefetch * team.size,
      pool: BufferPool())
  }

  /// Whoever has read another index than the rank that fills the node's will be refused when the ranks
  /// compare their data.
  private func open(_ path: String, split: String, key: String) throws -> ShardSet {
    guard !path.isEmpty else {
      throw ConfigurationError(
        key, "no data is named", remedy: "Give a folder made by `vitdist shards create`")
    }
    do {
      return try ShardSet(paths: [path], split: split, sharedBy: communicator)
    } catch let error as ArchiveError where error.path == path {
      throw ArchiveError(
        error.kind, path: "\(key): \(path)", error.problem, remedy: error.remedy)
    }
  }

  private func makeNetwork() throws -> (Network, any Loss) {
    let (network, loss) = try Network.make(
      recipe.model.value, seed: UInt64(recipe.seed), pool: pool
    ) { scope, model in
      try recipe.objective.value.makeLoss(in: scope["objective"], for: model)
    }
    if !recipe.initialization.weights.isEmpty {
      let file = try SafeTensors.read(recipe.initialization.weights)
      let report = try network.load(
        file, heads: .startAfresh, interpolation: recipe.initialization.positionInterpolation)
      if !report.freshHeads.isEmpty {
        say("\(report.freshHeads.joined(separator: ", ")) start afresh: other classes")
      }
    }
    return (network, loss)
  }

  private func makePlan(_ batches: BatchPlan) -> TrainingPlan {
    let replays = recipe.objective.value.replays
    return TrainingPlan(
      seed: UInt64(recipe.seed), batches: batches, microBatch: recipe.batch.microBatch,
      totalSteps: recipe.totalSteps(stepsPerEpoch: batches.stepsPerEpoch * replays),
      replays: replays)
  }

  private func makeRule(_ plan: TrainingPlan) throws -> TrainingStep.Rule {
    let (optimizer, schedule) = (recipe.optimizer.value, recipe.schedule.value)
    try schedule.check(base: optimizer.learningRate, run: plan.runLength)
    return TrainingStep.Rule(
      optimizer: optimizer, schedule: schedule,
      clipping: recipe.clipping, average: recipe.average, nonFinite: recipe.nonFinite)
  }

  private func makeTeacher(_ student: ClassifierDescription) throws -> FrozenModel? {
    let teacher = recipe.objective.value.teacher
    guard !teacher.weights.isEmpty else { return nil }
    let model =
      teacher.model.isEmpty
      ? nil : try Choice<BackboneCatalog>(yaml: "kind: \(teacher.model)", name: "objective.teacher")
    // Of the ranks of a node one reads the weights, and all use them.
    var memory: NodeMemory?
    let network = try Network(weights: teacher.weights, model: model, pool: pool) { layout in
      let shared = try communicator.nodeMemory(bytes: layout.count * MemoryLayout<Float>.stride)
      memory = shared
      let values = shared.pointer.bindMemory(to: Float.self, capacity: layout.count)
      return (ParameterSlab(layout, at: values, of: shared), shared.isFiller)
    }
    try memory?.publish()
    if communicator.localSize > 1, memory?.isShared == false {
      say("note: shared memory has no room for the teacher's weights, so every rank has its own")
    }
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

  private func makeJudge(_ description: ClassifierDescription) throws -> Judge? {
    guard !recipe.data.validation.isEmpty else { return nil }
    let source = try open(
      recipe.data.validation, split: recipe.data.validationSplit, key: "data.validation")
    try description.check(source, path: recipe.data.validation)
    let pipeline = try EvaluationPipeline(
      source: source, image: description.imageShape, chunkSize: recipe.evaluation.chunk,
      options: recipe.data.evaluation, decoding: recipe.data.decoding)
    let evaluator = Evaluator(
      pipeline, communicator: communicator, products: products, pool: pool, team: team,
      threads: recipe.data.loaderThreads)
    let (options, image) = (recipe.evaluation, description.imageShape)
    for (number, attack) in options.robust.attacks.enumerated() {
      do { try attack.value.check(for: description) } catch let error as ConfigurationError {
        throw ConfigurationError(
          "evaluation.robust.attacks[\(number)].\(error.key)", error.problem, remedy: error.remedy)
      }
    }
    let robust =
      options.robust.attacks.isEmpty
      ? nil
      : try RobustEvaluation(
        options.robust, of: source, image: image, preparation: recipe.data.evaluation,
        decoding: recipe.data.decoding, communicator: communicator, products: products, pool: pool,
        team: team)
    let attention =
      options.attention.samples == 0
      ? nil
      : try AttentionEvaluation(
        options.attention, of: source, image: image, preparation: recipe.data.evaluation,
        decoding: recipe.data.decoding, communicator: communicator, products: products, pool: pool,
        team: team)
    return Judge(evaluator, robust: robust, attention: attention).noting(in: marks)
  }

  private func cadence(_ plan: TrainingPlan) -> Cadence {
    var cadence = Cadence(stepsPerEpoch: plan.stepsPerEpoch, totalSteps: plan.totalSteps)
    cadence.evaluateEveryEpochs = recipe.evaluation.everyEpochs
    cadence.saveEverySteps = recipe.checkpoints.everySteps
    cadence.saveEveryMinutes = recipe.checkpoints.everyMinutes
    cadence.savesJudged = recipe.checkpoints.keepBest > 0
    cadence.checkReplicasEverySteps = recipe.replicaCheck.everySteps
    cadence.checkReplicasShare = recipe.replicaCheck.timeShare
    return cadence
  }

  private func identity(of network: Network, _ train: ShardSet) -> Trainer.Identity {
    var identity = Trainer.Identity()
    identity.configDigest = SHA256Digest.of(
      recipe.canonical(excluding: [
        "about", "balance", "checkpoints", "lossSpikes", "replicaCheck", "threads", "watchdog",
      ]))
    identity.dataFingerprint = train.fingerprint
    identity.blasKernel = products.kernel
    identity.version = version
    identity.model = ValueTree(encoding: network.backbone.choice).json
    return identity
  }
}
