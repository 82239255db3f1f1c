import Checkpoints
import Collectives

/// The state of a run on disk: what a checkpoint holds, and how it is taken up again.
extension Trainer {
  private var slabs: [CheckpointSlab] {
    let ranges = training.ownership.ranges
    return [
      CheckpointSlab("parameters", whole: training.network.parameters.values, ranges: ranges)
    ] + training.states.map { CheckpointSlab($0.name, packed: $0.slab.pointer, ranges: ranges) }
      + (training.average.map { [CheckpointSlab("average", packed: $0.pointer, ranges: ranges)] }
        ?? [])
      + (training.memory.map {
        [CheckpointSlab("objective.memory", array: $0.pointer, $0.range, of: $0.count)]
      } ?? [])
  }

  /// Sees to it that there is room for what will be saved.
  func prepareSaves(
    _ cadence: Cadence, _ deadline: Deadline, tell: @escaping (String) -> Void
  ) throws -> StepBoundary {
    let content = content(nil)
    try checkpoints.reserve(content, lastStep: cadence.totalSteps)
    return StepBoundary(
      cadence, deadline: deadline, checkpoints: checkpoints, content: content,
      communicator: communicator, tell: tell)
  }

  /// Does what was decided after a step.
  ///
  /// - Parameter judged: how these very weights were judged, if they were.
  /// - Throws: `TrainingError` if the run stops here, after the state was saved.
  func save(
    _ judged: Judgement?, _ decision: StepBoundary.Decision, _ boundary: StepBoundary,
    tell: (String) -> Void
  ) throws {
    let isLast = step == training.plan.totalSteps
    if decision.saves, decision.stops || isLast {
      // Nothing is left to do meanwhile, so no copy is made.
      try checkpoints.save(content(judged))
    } else if decision.saves {
      try checkpoints.begin(content(judged))
    } else if decision.lacksTime {
      tell("step \(step) is not saved: \(boundary.refusal)")
    }
    guard decision.stops, !isLast else { return }
    try checkpoints.drain()
    if !decision.isLate && decision.saves { throw TrainingError.stoppedOnRequest(step: step) }
    throw TrainingError.outOfTime(
      step: step, saved: boundary.committedStep, reason: boundary.refusal)
  }

  /// - Parameter judged: how these very weights were judged, if they were.
  private func content(_ judged: Judgement?) -> CheckpointContent {
    let plan = training.plan
    var content = CheckpointContent(layout: training.network.parameters.layout, slabs: slabs)
    content.step = step
    content.epoch = plan.epoch(of: step)
    content.samplesSeen = plan.samples(before: step)
    content.seed = plan.seed
    content.virtualShards = plan.batches.virtualShards
    content.configDigest = identity.configDigest
    content.dataFingerprint = identity.dataFingerprint
    content.blasKernel = identity.blasKernel
    content.vitdistVersion = identity.version
    content.model = identity.model
    content.state = ["batchSize": "\(plan.batches.batchSize)", "microBatch": "\(plan.microBatch)"]
    content.state.merge(objectiveState) { $1 }
    if let judged {
      content.metrics = Dictionary(uniqueKeysWithValues: judged.figures.map { ($0.name, $0.value) })
    }
    return content
  }

  /// Where the objective's loops stand, under names of their own.
  private var objectiveState: [String: String] {
    let state = training.loss.state(at: training.plan.moment(of: step))
    return Dictionary(uniqueKeysWithValues: state.map { ("objective.\($0)", $1) })
  }

  /// Takes up the state of a checkpoint, written by any number of ranks.
  ///
  /// - Returns: what of the objective's loops stands elsewhere than in the run that wrote it.
  public func restore(_ manifest: CheckpointManifest) throws -> [String] {
    try manifest.check(training.network.parameters.layout)
    try checkpoints.load(manifest, into: slabs)
    try training.reducer.gatherParameters(training.network.parameters.values)
    step = manifest.step
    return objectiveState.sorted { $0.key < $1.key }.compactMap { name, now in
      let then = manifest.state[name] ?? "nothing"
      return then == now ? nil : "\(name) was \(then) and is \(now)"
    }
  }
}
