import Autograd
import Datasets
import Networks
import Objectives
import Tensors
import TestSupport
import Testing

/// A small ViT with the loss of an objective, and a teacher of the same size.
struct SmallStudent {
  let network: Network
  let loss: any Loss
  let pool = BufferPool(poisonsReturned: true)
  private let teacher: Network

  init(
    _ objective: any Objective, distilled: Bool = false, backbone: (any Backbone)? = nil
  ) throws {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize, options.channels) = (8, 2, 1)
    (options.width, options.depth, options.heads, options.mlpRatio) = (32, 2, 2, 2)
    (options.classes, options.mean, options.deviation) = (10, [0.5], [0.25])
    options.distilled = distilled
    (network, loss) = try Network.make(backbone ?? options, seed: 1, pool: pool) {
      try objective.makeLoss(in: $0["objective"], for: $1)
    }
    options.distilled = false
    teacher = Network(options, seed: 2, pool: pool)
  }

  /// The defaults of a kind of the catalogue.
  init(kind: String, distilled: Bool = false) throws {
    let entry = try #require(ObjectiveCatalog.entry(kind))
    try self.init(try #require(entry.defaults as? any Objective), distilled: distilled)
  }

  /// Counted images; with `mixed`, of two classes each.
  func batch(_ count: Int, mixed: Bool = false) -> Batch {
    Batch(
      images: Tensor(
        [count, 1, 8, 8], CountedValues.uniform("images", count: count * 64), from: pool),
      labels: (0..<count).map {
        mixed ? MixedLabel($0, partner: 9 - $0, weight: 0.7) : MixedLabel($0)
      },
      samples: Array(0..<count), repeats: Array(repeating: 0, count: count))
  }

  /// The loss of the parts of a global batch, and its gradient; nothing is remembered yet.
  func learn(_ parts: [Batch], step: Int = 0) throws -> (loss: Double, gradient: [Float]) {
    let (contributions, gradient) = try contributions(parts, step: step)
    return (contributions.reduce(0) { $0 + $1.loss }, gradient)
  }

  func contributions(
    _ parts: [Batch], step: Int = 0, memory: Tensor? = nil
  ) throws -> (contributions: [Contribution], gradient: [Float]) {
    let slab = Tensor.zeros([network.parameters.layout.count], from: pool)
    let size = parts.reduce(0) { $0 + $1.count }
    let contributions = try parts.map { part in
      let fresh = Tensor.zeros([part.count, loss.memorySize], from: pool)
      let pass = Pass(
        part, of: Moment(step: step, stepsPerEpoch: 10, totalSteps: 100), seed: 1,
        sampleWeight: 1 / Float(size), model: network.model, parameters: network.parameters,
        teacher: FrozenModel(teacher.model, teacher.parameters), memory: memory ?? fresh,
        products: OpenBLASProducts(), pool: pool, gradients: slab.pointer)
      return try loss.accumulate(pass)
    }
    return (contributions, slab.array)
  }
}
