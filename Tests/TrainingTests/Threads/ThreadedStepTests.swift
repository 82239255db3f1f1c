import Autograd
import Collectives
import Datasets
import Networks
import Objectives
import Optimizers
import Synchronization
import Tensors
import Testing
import Training

/// Steps of a rank of several threads, in this process.
@Suite struct ThreadedStepTests {
  private static let shards = 6

  private static func step(
    _ loss: any Loss, threads: Int, on group: any Communicator = SoloCommunicator()
  ) throws -> (step: TrainingStep, batches: any ShardBatches, team: ThreadTeam) {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize) = (8, 4)
    (options.width, options.depth, options.heads, options.classes) = (32, 2, 2, 10)
    options.dropPath = 0.3
    let pool = BufferPool(poisonsReturned: true)
    let network = Network(options, seed: 1, pool: pool)
    var images = SyntheticOptions()
    (images.imageSize, images.count) = (8, 40)
    let pipeline = try BatchPipeline(
      source: try SyntheticImages(images, split: .train), image: ImageShape(size: 8),
      batchSize: 18, virtualShards: shards, seed: 3, augmentation: AugmentationOptions())
    let plan = TrainingPlan(
      seed: 3, batches: pipeline.plan, microBatch: 2, totalSteps: 30)
    let team = ThreadTeam(threads, pool: pool)
    let step = try TrainingStep(
      network, loss, rule: .init(optimizer: AdamW(), schedule: WarmupSchedule<NoDecay>()),
      plan: plan, communicator: group, products: OpenBLASProducts(), pool: pool, team: team)
    let batches = LoadedBatches(
      pipeline, plan: plan, from: 0, shards: step.reducer.localShards, threads: 0, depth: 4,
      pool: BufferPool())
    return (step, batches, team)
  }

  /// Losses of all steps, and the weights after them. Epochs are of two whole batches and a short one.
  private static func bits(
    threads: Int, on group: any Communicator = SoloCommunicator()
  ) throws -> [UInt64] {
    let (step, batches, _) = try step(Supervised(), threads: threads, on: group)
    let losses = try (0..<7).map { try step.take($0, batches).loss.bitPattern }
    let slab = step.network.parameters
    return losses
      + (0..<slab.layout.count).map { UInt64(slab.values[$0].bitPattern) }
  }

  @Test func sameBitsWithAnyNumberOfThreads() throws {
    let expected = try Self.bits(threads: 1)
    for threads in [2, 3, 4, 6, 9] {
      #expect(try Self.bits(threads: threads) == expected, "\(threads) threads")
    }
    let all = try ThreadCommunicator.run(ranks: 2) { try Self.bits(threads: 2, on: $0) }
    #expect(all.allSatisfy { $0 == expected })
  }

  @Test func theSteadyStateTakesNoMemory() throws {
    let (step, batches, team) = try Self.step(Supervised(), threads: 3)
    for number in 0..<6 { _ = try step.take(number, batches) }
    let before = team.allocations
    for number in 6..<18 { _ = try step.take(number, batches) }
    #expect(team.allocations == before)
  }

  /// Wherever it fails, the step ends with that error and no other.
  @Test(arguments: 1...4) func anErrorOfAnyThreadEndsTheStep(_ threads: Int) throws {
    for failing in 0..<3 {
      let (step, batches, _) = try Self.step(
        FailingLoss(callsLeft: 6 * 2 + 2 * failing), threads: threads)
      _ = try step.take(0, batches)
      #expect(throws: FailingLoss.Failure.self) { _ = try step.take(1, batches) }
    }
  }
}

/// Cross-entropy, for so many micro-batches.
private final class FailingLoss: Loss {
  struct Failure: Error {}
  private let calls: Int
  private let done = Atomic<Int>(0)

  init(callsLeft calls: Int) { self.calls = calls }

  func callAsFunction(_ pass: Pass) throws -> Variable {
    if done.add(1, ordering: .relaxed).newValue > calls { throw Failure() }
    return try Supervised()(pass)
  }
}
