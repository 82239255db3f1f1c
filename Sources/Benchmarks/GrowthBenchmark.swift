import Collectives
import Networks
import Objectives
import Optimizers
import Tensors

/// How a training step's cost grows with batch, tokens, width and depth of a ViT, one at a time from a
/// small model. Time over arithmetic is a rate: where it falls, cost grows faster than the work.
public struct GrowthBenchmark {
  /// What grows.
  public enum Quantity: String, Codable, Sendable, CaseIterable {
    case batch, tokens, width, depth
  }

  /// One model and batch.
  public struct Point: Codable, Sendable {
    public var quantity = Quantity.batch
    public var value = 0
    /// Floating-point operations that training with one image executes, 10⁹.
    public var gigaOperations = 0.0
    /// Per image, of processor time.
    public var milliseconds = 0.0
    /// The first over the second, 10⁹ a second.
    public var rate = 0.0
    /// The product rate in the same run.
    public var productRate = 0.0
  }

  public var precision = Precision.f32
  public var steps = 3
  public var microBatch = 8

  public init() {}

  /// Every point, on this rank alone.
  public func run(progress: (Point) -> Void) throws -> [Point] {
    try Quantity.allCases.flatMap { quantity in
      try values(of: quantity).map { value in
        let point = try measure(quantity, value)
        progress(point)
        return point
      }
    }
  }

  private func values(of quantity: Quantity) -> [Int] {
    switch quantity {
    case .batch: [8, 16, 32, 64, 128]
    case .tokens: [5, 17, 37, 65, 122, 197, 401]
    case .width: [64, 128, 192, 256, 384, 512, 768]
    case .depth: [2, 4, 6, 8, 12, 16]
    }
  }

  private func measure(_ quantity: Quantity, _ value: Int) throws -> Point {
    var model = VisionTransformer()
    (model.imageSize, model.width, model.depth, model.classes) = (128, 192, 6, 100)
    var batch = 16
    switch quantity {
    case .batch: batch = value
    case .tokens: model.imageSize = Int(Double(value - 1).squareRoot()) * model.patchSize
    case .width: model.width = value
    case .depth: model.depth = value
    }
    model.heads = model.width / 64
    var benchmark = StepBenchmark(
      backbone: model, objective: Supervised(),
      rule: .init(optimizer: AdamW(), schedule: WarmupSchedule<NoDecay>()), batch: batch,
      virtualShards: 1, microBatch: microBatch, steps: steps)
    benchmark.precision = precision
    let result = try benchmark.run(on: SoloCommunicator())
    var point = Point()
    (point.quantity, point.value) = (quantity, value)
    point.milliseconds = result.processorMillisecondsPerStep / Double(batch)
    point.rate = result.mfuOfProcessorTime * result.executedShare * result.gemmGflops
    point.gigaOperations = point.rate * point.milliseconds / 1000
    point.productRate = result.gemmGflops
    return point
  }
}
