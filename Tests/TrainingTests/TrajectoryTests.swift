import Archives
import Autograd
import Collectives
import Datasets
import Networks
import Objectives
import Optimizers
import Tensors
import TestSupport
import Testing
import Training

/// Ten optimizer steps of tiny models against PyTorch: losses, gradients, weights.
@Suite struct TrajectoryTests {
  struct Fixture: Decodable {
    struct Rule: Decodable {
      let learningRate, weightDecay: Double
      let momentum: Double?
      let losses: [Double]
    }
    let loss: Double
    let adamw, sgd, lamb: Rule?

    subscript(kind: String) -> Rule? { kind == "adamw" ? adamw : kind == "sgd" ? sgd : lamb }
  }

  static let pairs = [
    ("vit-unit-cls", "adamw"), ("vit-unit-cls", "sgd"), ("vit-unit-cls", "lamb"),
    ("vit-unit-mean", "adamw"), ("vit-unit-distilled", "adamw"),
  ]

  private static func network(_ name: String, pool: BufferPool) -> Network {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize, options.channels) = (8, 2, 1)
    (options.width, options.depth, options.heads, options.mlpRatio) = (32, 2, 2, 2)
    (options.classes, options.mean, options.deviation) = (10, [0.5], [0.25])
    options.pooling = name.hasSuffix("mean") ? .mean : .token
    options.distilled = name.hasSuffix("distilled")
    let network = Network(options, seed: 1, pool: pool)
    network.parameters.fillWithCountedValues()
    return network
  }

  private static func optimizer(_ kind: String, _ rule: Fixture.Rule) -> any Optimizer {
    switch kind {
    case "sgd":
      var sgd = SGD()
      (sgd.learningRate, sgd.weightDecay) = (rule.learningRate, rule.weightDecay)
      (sgd.momentum, sgd.nesterov) = (0.9, true)
      return sgd
    case "lamb":
      var lamb = LAMB()
      (lamb.learningRate, lamb.weightDecay) = (rule.learningRate, rule.weightDecay)
      return lamb
    default:
      var adamw = AdamW()
      (adamw.learningRate, adamw.weightDecay) = (rule.learningRate, rule.weightDecay)
      return adamw
    }
  }

  private static func step(
    _ name: String, _ kind: String, _ rule: Fixture.Rule, _ network: Network, pool: BufferPool
  ) throws -> TrainingStep {
    let isDistilled = name.hasSuffix("distilled")
    var supervised = Supervised()
    supervised.labelSmoothing = 0.1
    let plan = TrainingPlan(
      seed: 1, batches: try BatchPlan(sampleCount: 80, batchSize: 8, virtualShards: 1),
      microBatch: 8, totalSteps: 10)
    return try TrainingStep(
      network, isDistilled ? Distillation() : supervised,
      rule: .init(optimizer: optimizer(kind, rule), schedule: WarmupSchedule<NoDecay>()),
      plan: plan, teacher: isDistilled ? FrozenModel(CountedTeacher(), network.parameters) : nil,
      communicator: SoloCommunicator(), products: OpenBLASProducts(), pool: pool)
  }

  /// Relative L2 distance, without the keys' part of a qkv bias: softmax does not see it, so its
  /// gradient is rounding noise, which Adam and LAMB scale to steps of full size.
  private static func distance(_ name: String, _ a: [Float], _ b: [Float]) -> Float {
    var (difference, norm) = (Float(0), Float(0))
    let keys = name.hasSuffix("qkv.bias") ? a.count / 3..<2 * a.count / 3 : 0..<0
    for i in a.indices where !keys.contains(i) {
      difference += (a[i] - b[i]) * (a[i] - b[i])
      norm += b[i] * b[i]
    }
    return (difference / norm).squareRoot()
  }

  /// PyTorch in float32 is within 1e-6 of the float64 fixture; the promise is 1e-4.
  @Test(arguments: pairs) func tenStepsAgree(_ name: String, _ kind: String) throws {
    let fixture: Fixture = try Fixtures.decode("\(name).json")
    let rule = try #require(fixture[kind])
    let pool = BufferPool(poisonsReturned: true)
    let network = Self.network(name, pool: pool)
    let step = try Self.step(name, kind, rule, network, pool: pool)
    let batches = CountedBatches(pool: pool)
    for (number, expected) in rule.losses.enumerated() {
      let report = try step.take(number, batches)
      #expect(abs(report.loss - expected) < 1e-5 * expected, "step \(number)")
    }
    let weights = try SafeTensors.read(Fixtures.path("\(name).\(kind).safetensors"))
    for entry in network.parameters.layout.entries {
      let expected = try weights.values(entry.name)
      #expect(Self.distance(entry.name, network.parameters[entry].array, expected) < 2e-5)
    }
  }

  @Test(arguments: ["vit-unit-cls", "vit-unit-mean", "vit-unit-distilled"])
  func everyParameterGradientAgrees(_ name: String) throws {
    let fixture: Fixture = try Fixtures.decode("\(name).json")
    let pool = BufferPool(poisonsReturned: true)
    let network = Self.network(name, pool: pool)
    let step = try Self.step(
      name, "adamw", try #require(fixture.adamw), network, pool: pool)
    _ = try step.take(0, CountedBatches(pool: pool))
    let expected = try SafeTensors.read(Fixtures.path("\(name).gradients.safetensors"))
    for entry in network.parameters.layout.entries {
      let sum = step.reducer.summedGradient + entry.offset
      let gradient = Array(UnsafeBufferPointer(start: sum, count: entry.shape.count))
      #expect(
        Self.distance(entry.name, gradient, try expected.values(entry.name)) < 1e-5,
        "\(entry.name)")
    }
  }
}

/// The fixtures' batches.
private final class CountedBatches: ShardBatches {
  private let pool: BufferPool
  private var number = 0
  let secondsWaited = 0.0

  init(pool: BufferPool) { self.pool = pool }

  func next() throws -> Batch {
    defer { number += 1 }
    let pixels = CountedValues.uniform("batch.\(number).images", count: 8 * 64)
    let labels = CountedValues.labels("batch.\(number).labels", count: 8, classes: 10)
    return Batch(
      images: Tensor([8, 1, 8, 8], pixels, from: pool), labels: labels.map { MixedLabel($0) },
      samples: Array(0..<8), repeats: Array(repeating: 0, count: 8))
  }
}

/// A teacher that is certain of the fixtures' teacher labels, batch after batch.
private final class CountedTeacher: Classifier {
  private var number = 0
  let description = ClassifierDescription(
    channels: 1, side: 8, classes: 10, mean: [0.5], deviation: [0.25])
  let multiplyAdds = 0
  let fixedPositions: Tensor? = nil

  func callAsFunction(_ images: Variable, _ cx: Context) -> Logits {
    defer { number += 1 }
    let logits = Tensor.zeros([8, 10], from: cx.pool)
    let labels = CountedValues.labels("batch.\(number).teacher", count: 8, classes: 10)
    for (row, label) in labels.enumerated() { logits.pointer[row * 10 + label] = 5 }
    return Logits(classes: Variable(logits), distilled: nil)
  }
}
