import Autograd
import Collectives
import Datasets
import Networks
import Objectives
import Tensors
import Training

/// Two training steps of one rank over the same network: of one virtual shard, and of two.
struct StepPair {
  struct Times {
    var imageSeconds = 0.0
    var foldSeconds = 0.0
    var updateSeconds = 0.0
  }

  /// Images of a shard here: as many as the config's, or enough of its micro-batches to time.
  let images: Int
  /// Slabs in the pool of which every rank, or the owner, has its part.
  let slabBytes: Int
  let ownedSlabs: Int
  private let one: TrainingStep
  private let two: TrainingStep
  private let batches: ConstantBatches

  init(
    _ subject: StepBenchmark, _ network: Network, _ loss: any Loss,
    _ products: any MatrixProducts, _ pool: BufferPool
  ) throws {
    let images = min(subject.batch / subject.virtualShards, 2 * subject.microBatch)
    func step(_ shards: Int) throws -> TrainingStep {
      let plan = TrainingPlan(
        seed: 1,
        batches: try BatchPlan(
          sampleCount: 1 << 30, batchSize: shards * images, virtualShards: shards),
        microBatch: subject.microBatch, totalSteps: 1 << 20)
      return try TrainingStep(
        network, loss, rule: subject.rule, plan: plan, communicator: SoloCommunicator(),
        products: products, pool: pool)
    }
    let before = pool.statistics.bytesAllocated
    one = try step(1)
    two = try step(2)
    ownedSlabs = one.states.count + (one.average == nil ? 0 : 1)
    slabBytes =
      pool.statistics.bytesAllocated - before
      + network.parameters.layout.count * MemoryLayout<Float>.stride
    self.images = images
    batches = ConstantBatches(count: images, network.model.description, pool: pool)
  }

  /// Medians over at least `steps` steps of each, turn by turn.
  func measure(steps: Int, seconds: Double) throws -> Times {
    var (first, second, folds): ([Double], [Double], [Double]) = ([], [], [])
    let start = ContinuousClock.now
    var number = 0
    while number <= steps || (ContinuousClock.now - start).inSeconds < seconds {
      let single = try one.take(number, batches).seconds
      let double = try two.take(number, batches).seconds
      number += 1
      // The first touches memory for the first time.
      if number == 1 { continue }
      first.append(single)
      second.append(double)
      folds.append(two.reducer.timings.merge.inSeconds)
    }
    var times = Times()
    times.foldSeconds = median(folds)
    let shard = median(zip(first, second).map { $1 - $0 }) - times.foldSeconds
    times.imageSeconds = max(shard, 0.5 * median(first)) / Double(images)
    times.updateSeconds = max(0, median(first) - Double(images) * times.imageSeconds)
    return times
  }
}
