import Autograd
import Collectives
import Configuration
import Datasets
import Networks
import Objectives
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

/// Steps of models with batch normalisation against PyTorch: the losses, and the running statistics
/// that they leave.
@Suite struct BatchStatisticsTests {
  private func step(
    _ network: Network, _ training: RobustFixture.Training, images: Int, pool: BufferPool
  ) throws -> TrainingStep {
    var sgd = SGD()
    (sgd.learningRate, sgd.momentum) = (training.learningRate, training.momentum)
    sgd.weightDecay = 0
    var supervised = Supervised()
    supervised.labelSmoothing = 0
    let plan = TrainingPlan(
      seed: 1, batches: try BatchPlan(sampleCount: images, batchSize: images, virtualShards: 1),
      microBatch: images, totalSteps: training.losses.count)
    return try TrainingStep(
      network, supervised, rule: .init(optimizer: sgd, schedule: WarmupSchedule<NoDecay>()),
      plan: plan, communicator: SoloCommunicator(), products: OpenBLASProducts(), pool: pool)
  }

  /// Three images at a time leave few rows to normalise by, which amplifies rounding: float32
  /// follows five steps within 1e-3.
  @Test(arguments: RobustFixture.names) func stepsAgree(_ name: String) throws {
    let (fixture, options) = try RobustFixture.load(name)
    let pool = BufferPool(poisonsReturned: true)
    let choice = try Choice<BackboneCatalog>(yaml: options, name: name)
    let network = Network(choice.value, seed: 1, pool: pool)
    network.parameters.fillWithRobustValues()
    let step = try step(network, fixture.training, images: fixture.images, pool: pool)
    let batches = SameBatch(fixture.images, network.model.description, pool: pool)
    for (number, expected) in fixture.training.losses.enumerated() {
      let report = try step.take(number, batches)
      #expect(abs(report.loss - expected) < 1e-3 * expected, "step \(number): \(report.loss)")
    }
    for (name, expected) in fixture.training.statistics {
      let entry = try #require(network.parameters.layout[name])
      let found = network.parameters[entry].array
      let difference = expected.difference(from: found, within: 1e-3 * expected.norm)
      #expect(difference == nil, "\(name)")
    }
  }
}

/// Counted images of classes 0, 1, 2, ... again and again.
private final class SameBatch: ShardBatches {
  private let batch: Batch
  let secondsWaited = 0.0

  init(_ count: Int, _ description: ClassifierDescription, pool: BufferPool) {
    let shape: Shape = [count, description.channels, description.side, description.side]
    batch = Batch(
      images: Tensor(shape, CountedValues.uniform("images", count: shape.count), from: pool),
      labels: (0..<count).map { MixedLabel($0) }, samples: Array(0..<count),
      repeats: Array(repeating: 0, count: count))
  }

  func next() throws -> Batch { batch }
}
