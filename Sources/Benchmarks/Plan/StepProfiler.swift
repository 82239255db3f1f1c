import Autograd
import Collectives
import Datasets
import Networks
import Objectives
import Tensors
import Training

/// Takes a training step apart by timing two small ones, of one and of two virtual shards: what the
/// second adds is a shard, what is left of the first is done once a step.
public struct StepProfiler {
  /// What is planned; its `steps` are the least number of timed steps of each kind.
  public var subject: StepBenchmark
  /// Goes on timing until so much time has passed.
  public var seconds = 2.0
  /// Images of an evaluation chunk.
  public var chunk = 32

  public init(_ subject: StepBenchmark) { self.subject = subject }

  /// Runs on all ranks, which should fill a node; the same result on all.
  public func run(on communicator: any Communicator) throws -> StepProfile {
    var profile = StepProfile()
    (profile.ranks, profile.cores) = (communicator.size, Machine.cores)
    profile.programBytes = try communicator.allReduce(Machine.peakResidentBytes, by: .maximum)
    let pool = BufferPool()
    let products = subject.precision.products
    let (network, loss) = try Network.make(subject.backbone, seed: 1, pool: pool) { scope, model in
      try subject.objective.makeLoss(in: scope["objective"], for: model)
    }
    let pair = try StepPair(subject, network, loss, products, pool)
    describe(network, loss, pair, &profile)

    try communicator.barrier()
    if communicator.isRoot { _ = try pair.measure(steps: subject.steps, seconds: seconds / 2) }
    let alone =
      try communicator.isRoot ? pair.measure(steps: subject.steps, seconds: seconds) : .init()
    try communicator.barrier()
    let together = try pair.measure(steps: subject.steps, seconds: seconds)
    profile.imageSecondsAlone = try slowest(alone.imageSeconds, communicator)
    profile.imageSeconds = max(
      try slowest(together.imageSeconds, communicator), profile.imageSecondsAlone)
    profile.foldSeconds = try slowest(together.foldSeconds, communicator)
    profile.updateSeconds = try slowest(together.updateSeconds, communicator)
    profile.evaluationSeconds = try slowest(
      evaluate(network, products, pool), communicator)
    profile.activationBytes = try communicator.allReduce(
      pool.statistics.bytesAllocated - pair.slabBytes, by: .maximum)
    if communicator.size > 1 {
      let reduction = ReductionBenchmark(
        count: profile.slabElements, virtualShards: max(subject.virtualShards, communicator.size),
        repetitions: 11)
      profile.exchangeSeconds = try reduction.run(on: communicator).reduceMilliseconds / 1000
    }
    return profile
  }

  private func describe(
    _ network: Network, _ loss: any Loss, _ pair: StepPair, _ profile: inout StepProfile
  ) {
    profile.parameters = network.parameters.layout.parameterCount
    profile.slabElements = network.parameters.layout.count
    profile.ownedSlabs = pair.ownedSlabs
    profile.memoryPerImage = loss.memorySize
  }

  private func slowest(_ seconds: Double, _ communicator: any Communicator) throws -> Double {
    Double(try communicator.allReduce(Int(seconds * 1e12), by: .maximum)) * 1e-12
  }

  /// Forward passes as an evaluation makes them.
  private func evaluate(
    _ network: Network, _ products: any MatrixProducts, _ pool: BufferPool
  ) throws -> Double {
    let batch = Batch.constant(count: chunk, network.model.description, pool: pool)
    let cx = Context(
      parameters: network.parameters, products: products, pool: pool, phase: .evaluation)
    let times = (0..<4).map { _ in
      ContinuousClock().measure { _ = network.model(Variable(batch.images), cx) }.inSeconds
    }
    return median(Array(times.dropFirst())) / Double(chunk)
  }
}
