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
  public let reducer: GradientReducer
  /// What this rank owns of the weights, and where its state lies.
  public let ownership: Ownership
  /// The same of the running statistics, and of what the objective trains against the model.
  private let statistics: Ownership
  private let adversary: Ownership
  /// Optimizer state by name, owned part only.
  public let states: [(name: String, slab: Tensor)]
  /// Moving average of the weights, owned part only; nil where none is kept.
  public let average: Tensor?
  /// What the loss remembers; nil for one that remembers nothing.
  public let memory: BatchMemory?

  /// Whether buckets travel while the last shard's backward pass still runs; the bits are the same.
  public var overlapsExchange = true

  private let teacher: FrozenModel?
  private let communicator: any Communicator
  private let products: any MatrixProducts
  private let pool: BufferPool
  private let totals: ShardTotals
  private let squares: SegmentSums
  private let norms: RankedNorms

  public init(
    _ network: Network, _ loss: any Loss, rule: Rule, plan: TrainingPlan,
    teacher: FrozenModel? = nil, communicator: any Communicator, products: any MatrixProducts,
    pool: BufferPool
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
    reducer = try GradientReducer(
      layout: layout, virtualShards: plan.batches.virtualShards, communicator: communicator)
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
      of: loss, plan.batches, shards: reducer.localShards, pool: pool)
    totals = ShardTotals(
      virtualShards: plan.batches.virtualShards, width: 1 + loss.figures.count, communicator)
    squares = SegmentSums(layout, reducer.partition, communicator)
    norms = RankedNorms(communicator)
    startAverage()
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
  public func take(_ step: Int, _ batches: any ShardBatches) throws -> StepReport {
    let clock = ContinuousClock()
    let start = clock.now
    let waitedBefore = batches.secondsWaited
    var report = StepReport()
    report.step = step + 1
    report.samples = plan.samples(in: step)
    report.learningRate = rule.schedule.learningRate(
      step: step, base: rule.optimizer.learningRate, run: plan.runLength)

    reducer.beginStep()
    for shard in reducer.localShards {
      try accumulate(try batches.next(), shard: shard, step: step)
      if !reducer.isLastShard { reducer.finishShard() }
    }
    try reducer.finish()

    let sums = try totals.total()
    report.loss = sums[0]
    report.figures = zip(loss.figures, sums.dropFirst()).map { ($0, $1) }
    let gradient = try squares.squares(of: reducer.summedGradient)[0]
    report.gradientNorm = gradient.norm()
    report.skipped = try !isUsable(loss: report.loss, gradient, step: report.step)
    let reduced = clock.now
    if !report.skipped { try update(report, opponentNorm: gradient.norm(.adversary)) }
    report.updateSeconds = (clock.now - reduced).inSeconds
    try reducer.gatherParameters(network.parameters.values)

    let timings = reducer.timings
    report.reduceSeconds = (timings.merge + timings.exchange + timings.gather).inSeconds
    report.dataSeconds = batches.secondsWaited - waitedBefore
    report.seconds = (clock.now - start).inSeconds
    return report
  }

  /// Forward and backward of one shard, micro-batch by micro-batch.
  private func accumulate(_ batch: Batch, shard: Int, step: Int) throws {
    var failure: (any Error)?
    // Of the last batch of an epoch a shard may hold nothing: it adds nothing, and says so.
    totals.add(Array(repeating: 0, count: 1 + loss.figures.count), shard: shard)
    for first in stride(from: 0, to: batch.count, by: plan.microBatch) {
      let range = first..<min(first + plan.microBatch, batch.count)
      // Gradients are final, and may travel, only when the last micro-batch of the last shard adds.
      let isLast = reducer.isLastShard && range.upperBound == batch.count
      let ready: ((Parameter) -> Void)? =
        isLast && overlapsExchange
        ? { [reducer] parameter in
          guard failure == nil else { return }
          do { try reducer.ready(parameter.range) } catch { failure = error }
        } : nil
      let pass = Pass(
        batch.slice(range), of: plan.moment(of: step), seed: plan.seed,
        sampleWeight: 1 / Float(plan.samples(in: step)), model: network.model,
        parameters: network.parameters, teacher: teacher,
        memory: memory?.rows(range, shard: shard), products: products, pool: pool,
        gradients: reducer.shardGradient, onParameterReady: ready)
      let contribution = try loss.accumulate(pass)
      if let failure { throw failure }
      totals.add([contribution.loss] + contribution.figures, shard: shard)
    }
  }

  /// Whether the step may be taken; throws under the policy `abort`.
  private func isUsable(loss: Double, _ gradient: SegmentSums.Squares, step: Int) throws -> Bool {
    let layout = network.parameters.layout
    let culprit: String
    if let index = gradient.firstNonFinite {
      culprit = "the gradient of \(layout.entries[index].name)"
    } else if !loss.isFinite {
      culprit = "the loss"
    } else {
      return true
    }
    if rule.nonFinite == .abort { throw TrainingError.nonFinite(what: culprit, step: step) }
    return false
  }

  /// Updates the owned slices of the weights, of what plays against them, and of their average.
  private func update(_ report: StepReport, opponentNorm: Double) throws {
    let slabs = OptimizerSlabs(
      parameters: network.parameters.values,
      gradients: UnsafeMutablePointer(mutating: reducer.summedGradient),
      states: states.map(\.slab.pointer))
    try rule.optimizer.update(
      slabs, owned: ownership,
      step: OptimizerStep(
        number: report.step, learningRate: report.learningRate,
        gradientScale: rule.clipping.scale(norm: report.gradientNorm)),
      norms: norms)
    if let opponent = loss.opponent {
      opponent.optimizer.update(
        slabs, owned: adversary,
        step: OptimizerStep(
          number: report.step, learningRate: opponent.learningRate(report.learningRate),
          gradientScale: opponent.clipping.scale(norm: opponentNorm)),
        norms: norms)
    }
    RunningStatistics.update(slabs, owned: statistics)
    guard let average else { return }
    for owned in [ownership, statistics] {
      rule.average.update(
        average.pointer, parameters: network.parameters.values, owned: owned,
        afterStep: report.step)
    }
  }
}
