import Autograd
import Collectives
import Datasets
import Networks
import Objectives
import Optimizers
import Tensors
import Training

/// Times whole training steps on images that never change.
public struct StepBenchmark {
  /// What `bench step --json` prints.
  public struct Result: Codable, Sendable {
    /// Of all ranks together, in the median step.
    public var imagesPerSecond = 0.0
    /// The machine's product rate in the same run, per core, 10⁹ operations a second.
    public var gemmGflops = 0.0
    /// 6 · multiply-adds of the whole model / time / that rate; the last block's tokens that nobody
    /// reads are not computed, so a little of it is algebra.
    public var mfu = 0.0
    /// The part of the model's operations that is executed; the rest are those of the last block's
    /// tokens that nobody reads.
    public var executedShare = 1.0
    /// Of the largest rank, with its parts.
    public var peakRssBytes = 0
    public var memory = MemoryUse()
    public var blasKernel = ""
    public var ranks = 1
    /// Of each rank.
    public var threads = 1
    public var parameters = 0
    public var batch = 0
    public var microBatch = 0
    public var millisecondsPerStep = 0.0
    /// Least processor time of one step of this rank, all its threads: what a step takes where the core is
    /// its own.
    public var processorMillisecondsPerStep = 0.0
    /// The MFU of that time.
    public var mfuOfProcessorTime = 0.0
    /// Processor time of a thread over wall time of the measured steps: below 1 the core was shared.
    public var processorShare = 0.0
    /// Tensor blocks taken from the system during the measured steps; 0 in the steady state.
    public var allocationsAfterWarmup = 0
    public var reduceMilliseconds = 0.0
    public var updateMilliseconds = 0.0
  }

  public var backbone: any Backbone
  public var objective: any Objective
  public var rule: TrainingStep.Rule
  /// Global batch, and how it is cut.
  public var batch: Int
  public var virtualShards: Int
  public var microBatch: Int
  public var steps: Int
  public var precision = Precision.f32
  /// Of each rank.
  public var threads = 1
  /// Whether gradients travel while the backward pass still runs.
  public var overlapsExchange = true

  public init(
    backbone: any Backbone, objective: any Objective, rule: TrainingStep.Rule, batch: Int,
    virtualShards: Int,
    microBatch: Int, steps: Int
  ) {
    self.backbone = backbone
    self.objective = objective
    self.rule = rule
    self.batch = batch
    self.virtualShards = virtualShards
    self.microBatch = microBatch
    self.steps = steps
  }

  public func run(on communicator: any Communicator) throws -> Result {
    let empty = Machine.resident
    let pool = BufferPool()
    let team = ThreadTeam(threads, pool: pool)
    let products = precision.products(from: pool)
    let (network, loss) = try Network.make(backbone, seed: 1, pool: pool) { scope, model in
      try objective.makeLoss(in: scope["objective"], for: model)
    }
    let plan = TrainingPlan(
      seed: 1,
      batches: try BatchPlan(
        sampleCount: batch * (steps + 2), batchSize: batch, virtualShards: virtualShards),
      microBatch: microBatch, totalSteps: steps + 2)
    let step = try TrainingStep(
      network, loss, rule: rule, plan: plan, communicator: communicator, products: products,
      pool: pool, team: team)
    step.overlapsExchange = overlapsExchange
    let batches = ConstantBatches(
      count: batch / virtualShards, network.model.description, pool: pool)

    for warmup in 0..<2 { _ = try step.take(warmup, batches) }
    let memory = try memory(step, batches, team, empty).ofLargest(on: communicator)
    // Tensors of the rate are not the step's.
    var gemm = ProductRate.measure(products, pool: BufferPool())
    let allocations = team.allocations
    let processorStart = Machine.processorSeconds
    var reports: [StepReport] = []
    var least = Double.infinity
    let wall = try ContinuousClock().measure {
      for number in 0..<steps {
        let start = Machine.processorSeconds
        reports.append(try step.take(number + 2, batches))
        least = min(least, Machine.processorSeconds - start)
      }
    }
    let processor = Machine.processorSeconds - processorStart
    let allocated = team.allocations - allocations
    gemm = max(gemm, ProductRate.measure(products, pool: BufferPool()))

    let ranks = communicator.size
    var result = Result()
    let seconds = try slowest(median(reports.map(\.seconds)), communicator)
    result.imagesPerSecond = Double(batch) / seconds
    result.gemmGflops = gemm
    let operations = 6 * Double(network.model.multiplyAdds) * Double(batch) / Double(ranks)
    result.mfu = operations / seconds / (gemm * 1e9 * Double(team.size))
    result.executedShare =
      1 - Double(network.model.unreadMultiplyAdds) / Double(network.model.multiplyAdds)
    result.processorMillisecondsPerStep = 1000 * least
    result.mfuOfProcessorTime = operations / least / (gemm * 1e9)
    (result.peakRssBytes, result.memory) = (memory.total, memory)
    result.blasKernel = products.kernel
    (result.ranks, result.threads) = (ranks, team.size)
    result.parameters = network.parameters.layout.parameterCount
    (result.batch, result.microBatch) = (batch, microBatch)
    result.millisecondsPerStep = 1000 * seconds
    result.processorShare = processor / wall.inSeconds / Double(team.size)
    result.allocationsAfterWarmup = allocated
    result.reduceMilliseconds = 1000 * median(reports.map(\.reduceSeconds))
    result.updateMilliseconds = 1000 * median(reports.map(\.updateSeconds))
    return result
  }

  /// After the first steps, when everything has been taken.
  ///
  /// - Parameter empty: the process before there was a model.
  private func memory(
    _ step: TrainingStep, _ batches: ConstantBatches, _ team: ThreadTeam, _ empty: Machine.Resident
  ) -> MemoryUse {
    let resident = Machine.resident
    var use = MemoryUse(step)
    use.batches = batches.bytes
    // The pools hold these slabs, and nothing else but the tensors of the passes.
    let kept = use.weights + use.moments + use.averages + use.remembered + use.batches
    use.activations = team.bytesAllocated - kept
    (use.program, use.shared) = (empty.anonymous + resident.files, resident.shared)
    use.rest = Machine.peakResidentBytes - use.total
    return use
  }

  private func slowest(_ seconds: Double, _ communicator: any Communicator) throws -> Double {
    Double(try communicator.allReduce(Int(seconds * 1e9), by: .maximum)) * 1e-9
  }
}

func median(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}

/// The same random images for every shard of every step.
final class ConstantBatches: ShardBatches {
  private let batch: Batch
  var bytes: Int { batch.images.count * MemoryLayout<Float>.stride }
  let secondsWaited = 0.0

  init(count: Int, _ description: ClassifierDescription, pool: BufferPool) {
    batch = .constant(count: count, description, pool: pool)
  }

  func next() throws -> Batch { batch }
}

extension Batch {
  /// Random images that are the same in every run.
  static func constant(
    count: Int, _ description: ClassifierDescription, pool: BufferPool
  ) -> Batch {
    let shape: Shape = [count, description.channels, description.side, description.side]
    let key = RandomKey(seed: 1, .synthesis)
    return Batch(
      images: Tensor(shape, (0..<shape.count).map { key.uniformFloat($0) }, from: pool),
      labels: (0..<count).map { MixedLabel($0 % description.classes) },
      samples: Array(0..<count), repeats: Array(repeating: 0, count: count))
  }
}
