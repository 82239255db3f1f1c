import Autograd
import Checkpoints
import Collectives
import Networks
import Tensors

/// A run from one step to the last: step, log, evaluate, save, until it is done or told to stop.
public final class Trainer {
  /// What the saved state says of the run besides its numbers.
  public struct Identity: Sendable {
    public var configDigest = ""
    public var dataFingerprint = ""
    public var blasKernel = ""
    public var version = ""
    /// What is needed to build the model again.
    public var model = ""

    public init() {}
  }

  public let training: TrainingStep
  public let identity: Identity
  /// Steps done.
  public internal(set) var step = 0
  /// The last evaluation of this process.
  public private(set) var judgement: Judgement?

  private let cadence: Cadence
  private let judge: Judge?
  let checkpoints: CheckpointStore
  private let deadline: Deadline
  private let replicas: ReplicaCheck
  private let log: RunLog?
  let communicator: any Communicator
  private let pool: BufferPool

  /// - Parameters:
  ///   - judge: nil for a run without validation data.
  ///   - deadline: rank 0's counts.
  ///   - log: on rank 0.
  public init(
    _ training: TrainingStep, identity: Identity, cadence: Cadence, judge: Judge?,
    checkpoints: CheckpointStore, deadline: Deadline = .none, log: RunLog?,
    communicator: any Communicator, pool: BufferPool
  ) {
    self.training = training
    self.identity = identity
    self.cadence = cadence
    self.judge = judge
    self.checkpoints = checkpoints
    self.deadline = deadline
    replicas = ReplicaCheck(training.network.parameters.layout, communicator)
    self.log = log
    self.communicator = communicator
    self.pool = pool
  }

  /// Trains from the step where the state stands to the plan's last.
  ///
  /// - Throws: `TrainingError.stoppedOnRequest` when a signal reached any rank and the state is
  ///   saved, `.outOfTime` when the deadline is near.
  public func run(_ batches: any ShardBatches) throws {
    let tell: (String) -> Void = { [log] in log?.note($0) }
    let boundary = try prepareSaves(cadence, deadline, tell: tell)
    while step < training.plan.totalSteps {
      let report = try training.take(step, batches)
      step += 1
      try log?.record(report)
      boundary.recordStep(report.seconds)

      if cadence.checksReplicas(after: step) {
        try replicas.check(training.network.parameters.values, step: step)
      }
      let judged = cadence.evaluates(after: step) ? try evaluate() : nil
      let decision = try boundary.agree(
        after: step, isJudged: judged != nil, isAskedToStop: StopRequest.isRaised)
      try save(judged, decision, boundary, tell: tell)
    }
    // A run that was stopped between its last checkpoint and its summary.
    if judgement == nil { _ = try evaluate() }
    log?.finish()
  }

  /// The weights that are judged and exported: their moving average where one is kept.
  public func finalWeights() throws -> ParameterSlab {
    guard let average = training.average else { return training.network.parameters }
    let whole = ParameterSlab(training.network.parameters.layout, from: pool)
    var start = 0
    for range in training.ownership.ranges {
      (whole.values + range.lowerBound).update(from: average.pointer + start, count: range.count)
      start += range.count
    }
    try training.reducer.gatherParameters(whole.values)
    return whole
  }

  private func evaluate() throws -> Judgement? {
    guard let judge else { return nil }
    let result = try judge.judge(training.network.model, try finalWeights())
    judgement = result
    try log?.record(result, step: step)
    return result
  }
}
