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
  private var comparisons: ReplicaCadence
  private let balance: Balance
  private let names: RankNames
  private let log: RunLog?
  let communicator: any Communicator
  private let pool: BufferPool

  /// - Parameters:
  ///   - judge: nil for a run without validation data.
  ///   - deadline: rank 0's counts.
  ///   - balance: how the shards are dealt as the run goes on.
  ///   - names: of the ranks, for people.
  ///   - log: on rank 0.
  public init(
    _ training: TrainingStep, identity: Identity, cadence: Cadence, judge: Judge?,
    checkpoints: CheckpointStore, deadline: Deadline = .none, balance: Balance = .even,
    names: RankNames = RankNames(hosts: []), log: RunLog?, communicator: any Communicator,
    pool: BufferPool
  ) {
    self.training = training
    self.identity = identity
    self.cadence = cadence
    self.judge = judge
    self.checkpoints = checkpoints
    self.deadline = deadline
    self.balance = balance
    self.names = names
    replicas = ReplicaCheck(training.network.parameters.layout, communicator, names: names)
    comparisons = ReplicaCadence(
      everySteps: cadence.checkReplicasEverySteps, share: cadence.checkReplicasShare)
    self.log = log
    self.communicator = communicator
    self.pool = pool
  }

  /// Trains from the step where the state stands to the plan's last.
  ///
  /// - Parameter batches: gives the batches of this rank's shards from a step on; asked again when the
  ///   shards are dealt anew.
  /// - Throws: `TrainingError.stoppedOnRequest` when a signal reached any rank and the state is
  ///   saved, `.outOfTime` when the deadline is near.
  public func run(_ batches: (_ step: Int, _ shards: Range<Int>) -> any ShardBatches) throws {
    let tell: (String) -> Void = { [log] in log?.note($0) }
    let boundary = try prepareSaves(cadence, deadline, tell: tell)
    var source = batches(step, training.reducer.localShards)
    var pace = RankPace(communicator)
    var compares = cadence.checkReplicasEverySteps > 0
    while step < training.plan.totalSteps {
      let report = try training.take(step, source) { if compares { try compareReplicas(step + 1) } }
      step += 1
      let times = try pace.record(report)
      try log?.record(report, times)
      boundary.recordStep(report.seconds)

      let judged = cadence.evaluates(after: step) ? try evaluate() : nil
      training.marks(.vote)
      let decision = try boundary.agree(
        after: step, isJudged: judged != nil, isAskedToStop: StopRequest.isRaised,
        comparesReplicas: comparisons.isDue(afterStepOf: report.seconds))
      compares = decision.comparesReplicas
      // What is saved is what all ranks have.
      if decision.saves, cadence.checkReplicasEverySteps > 0 { try compareReplicas(step) }
      training.marks(.save)
      try save(judged, decision, boundary, tell: tell)
      if let times, try rebalance(times) { source = batches(step, training.reducer.localShards) }
    }
    // A run that was stopped between its last checkpoint and its summary.
    if judgement == nil { _ = try evaluate() }
    if communicator.size > 1, let times = try pace.overall() { tell(times.text(names)) }
    training.marks(.finish)
    log?.finish()
  }

  private func compareReplicas(_ step: Int) throws {
    training.marks(.compare)
    comparisons.record(try replicas.check(training.network.parameters.values, step: step))
  }

  /// Deals the shards anew if that makes steps shorter; the same decision on all ranks.
  private func rebalance(_ times: RankTimes) throws -> Bool {
    let now = training.reducer.assignment
    guard step < training.plan.totalSteps, let other = balance.better(than: now, times) else {
      return false
    }
    try training.reassign(other)
    log?.note(
      "virtual shards per rank are \(other.counts) from step \(step + 1) on, after \(now.counts): "
        + times.text(names))
    return true
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
