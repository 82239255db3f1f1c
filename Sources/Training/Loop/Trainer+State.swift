import Checkpoints

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

  /// - Parameter judged: how these very weights were judged, if they were.
  func save(_ judged: Judgement?) throws {
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
    _ = try checkpoints.save(content)
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
