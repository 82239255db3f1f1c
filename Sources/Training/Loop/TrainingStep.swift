import Autograd
import Collectives
import Datasets
import Networks
import Objectives
import Optimizers
import Tensors

/// One optimizer step on all ranks: forward, backward, reduce, update, share.
public final class TrainingStep {
  /// By which rule the loss is minimised.
  public struct Rule {
    public var optimizer: any Optimizer
    public var schedule: any Schedule
    public var clipping = GradientClipping()
    public var average = MovingAverage()
    public var nonFinite = NonFinitePolicy.abort

    public init(
      optimizer: any Optimizer, schedule: any Schedule,
      clipping: GradientClipping = .init(), average: MovingAverage = .init(),
      nonFinite: NonFinitePolicy = .abort
    ) {
      self.optimizer = optimizer
      self.schedule = schedule
      self.clipping = clipping
      self.average = average
      self.nonFinite = nonFinite
    }
  }

  public let plan: TrainingPlan
  public let rule: Rule
  public let network: Network
  public let loss: any Loss
  /// Nil only while another takes its place.
  private var currentReducer: GradientReducer?
  /// What this rank owns of the weights, and where its state lies.
  public let ownership: Ownership
  /// The same of the running statistics, and of what the objective trains against the model.
  let statistics: Ownership
  let adversary: Ownership
  /// Optimizer state by name, owned part only.
  public let states: [(name: String, slab: Tensor)]
  /// Moving average of the weights, owned part only; nil where none is kept.
  public let average: Tensor?
  /// What the loss remembers; nil for one that remembers nothing.
  public private(set) var memory: BatchMemory?

  /// Whether buckets travel while the last shard's backward pass still runs; the bits are the same.
  public var overlapsExchange = true

  let marks: Marks
  let fault: TrainingFault?
  let communicator: any Communicator
  private(set) var totals: ShardTotals
  let norms: RankedNorms
  let teacher: FrozenModel?
  let products: any MatrixProducts
  /// The threads of this rank, each with memory of its own.
  let team: ThreadTeam
  private let pool: BufferPool
  private let squares: SegmentSums

  /// - Parameters:
  ///   - pool: for what outlives a step.
  ///   - team: computes as many of this rank's shards at the same time; the caller alone by default.
  ///   - assignment: which rank computes which virtual shards; even shares by default.
  ///   - marks: where this rank notes what it does.
  ///   - fault: of a test.
  public init(
    _ network: Network, _ loss: any Loss, rule: Rule, plan: TrainingPlan,
    teacher: FrozenModel? = nil, communicator: any Communicator, products: any MatrixProducts,
    pool: BufferPool, team: ThreadTeam? = nil, assignment: ShardAssignment? = nil,
    marks: Marks = .none, fault: TrainingFault? = nil
  ) throws {
    let layout = network.parameters.layout
    self.network = network
    self.loss = loss
    self.rule = rule
    self.plan = plan
    self.teacher = teacher
    self.communicator = communicator
    self.products = products
    self.pool = pool
    self.team = team ?? ThreadTeam(1, pool: pool)
    self.marks = marks
    self.fault = fault
    let reducer = try GradientReducer(
      layout: layout, virtualShards: plan.batches.virtualShards, communicator: communicator,
      assignment: assignment, threads: self.team.size, marks: marks)
    currentReducer = reducer
    ownership = Ownership(of: layout, ranges: reducer.ownedRanges)
    statistics = Ownership(of: layout, ranges: reducer.ownedRanges, role: .statistic)
    adversary = Ownership(of: layout, ranges: reducer.ownedRanges, role: .adversary)
    let stateCount = ownership.stateCount
    // An opponent's momentum lies in the optimizer's first slab, at places of its own.
    let names = rule.optimizer.stateNames
    let needed = names.isEmpty ? loss.opponent?.optimizer.stateNames ?? [] : names
    states = needed.map { ($0, Tensor.zeros([stateCount], from: pool)) }
    average = rule.average.isOn ? Tensor([stateCount], from: pool) : nil
    memory = BatchMemory(
      of: loss, plan.batches, shards: reducer.localShards, keepsLast: rule.nonFinite == .skip,
      pool: pool)
    totals = ShardTotals(
      virtualShards: plan.batches.virtualShards, width: 1 + loss.figures.count, communicator,
      assignment: reducer.assignment)
    squares = SegmentSums(layout, reducer.partition, communicator)
    norms = RankedNorms(communicator, marks: marks)
    startAverage()
  }

  public var reducer: GradientReducer {
    guard let currentReducer else { preconditionFailure("a step without a reducer") }
    return currentReducer
  }

  /// Gives the ranks other virtual shards between two steps; bits do not change. All ranks call it.
  public func reassign(_ assignment: ShardAssignment) throws {
    let (layout, shards) = (network.parameters.layout, plan.batches.virtualShards)
    let before = reducer.assignment
    // The slabs of the old one are freed before the new one takes its own.
    currentReducer = nil
    let reducer = try GradientReducer(
      layout: layout, virtualShards: shards, communicator: communicator, assignment: assignment,
      threads: team.size, marks: marks)
    currentReducer = reducer
    totals = ShardTotals(
      virtualShards: shards, width: 1 + loss.figures.count, communicator, assignment: assignment)
    guard let old = memory else { return }
    memory = BatchMemory(
      of: loss, plan.batches, shards: reducer.localShards, keepsLast: rule.nonFinite == .skip,
      pool: pool)
    try memory?.take(from: old, before, assignment, communicator)
  }

  /// The average begins as the weights: call again after weights were loaded.
  public func startAverage() {
    guard let average else { return }
    var start = 0
    for range in ownership.ranges {
      (average.pointer + start)
        .update(from: network.parameters.values + range.lowerBound, count: range.count)
      start += range.count
    }
  }

  /// Takes step number `step` (from 0) with the batches of this rank's shards.
  ///
  /// - Parameter beforeUpdate: called when the weights have been used and not yet been changed.
  public func take(
    _ step: Int, _ batches: any ShardBatches, beforeUpdate: () throws -> Void = {}
  ) throws -> StepReport {
    let clock = ContinuousClock()
    let start = clock.now
    let waitedBefore = batches.secondsWaited
    var report = StepReport()
    report.step = step + 1
    report.samples = plan.samples(in: step)
    report.learningRate = rule.schedule.learningRate(
      step: step, base: rule.optimizer.learningRate, run: plan.runLength)

    marks.begin(step: report.step)
    memory?.keep()
    report.computeSeconds = try accumulateShards(step, batches)
    try reducer.finish()

    marks(.total)
    let sums = try totals.total()
    report.loss = sums[0]
    report.figures = zip(loss.figures, sums.dropFirst()).map { ($0, $1) }
    let gradient = try squares.squares(of: reducer.summedGradient)[0]
    report.gradientNorm = gradient.norm()
    report.nonFinite = try nonFinite(loss: report.loss, gradient)
    if let finding = report.nonFinite {
      if rule.nonFinite == .abort {
        throw TrainingError.nonFinite(what: finding.text, step: report.step)
      }
      memory?.restore()
    }
    try beforeUpdate()
    let reduced = clock.now
    marks(.update)
    if !report.skipped { try update(report, opponentNorm: gradient.norm(.adversary)) }
    report.updateSeconds = (clock.now - reduced).inSeconds
    try reducer.gatherParameters(network.parameters.values)
    spoilReplica(step: report.step)

    let timings = reducer.timings
    report.reduceSeconds = (timings.merge + timings.exchange + timings.gather).inSeconds
    report.dataSeconds = batches.secondsWaited - waitedBefore
    report.seconds = (clock.now - start).inSeconds
    return report
  }
}
