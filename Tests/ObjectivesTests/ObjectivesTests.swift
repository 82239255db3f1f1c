import Autograd
import Configuration
import Datasets
import Networks
import Objectives
import Tensors
import TestSupport
import Testing

/// What every objective of the catalogue must do.
@Suite struct ObjectivesTests {
  @Test func theCatalogueIsSound() {
    #expect(ObjectiveCatalog.defects == [])
  }

  private func network(seed: UInt64, distilled: Bool, pool: BufferPool) -> Network {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize, options.channels) = (8, 2, 1)
    (options.width, options.depth, options.heads, options.mlpRatio) = (32, 2, 2, 2)
    (options.classes, options.mean, options.deviation) = (10, [0.5], [0.25])
    options.distilled = distilled
    return Network(options, seed: seed, pool: pool)
  }

  /// Twenty steps of equal size against the sign of the gradient, on one batch of eight images.
  @Test(arguments: ObjectiveCatalog.entries.map(\.kind), [false, true])
  func twentyStepsOverfitABatch(_ kind: String, _ distilled: Bool) throws {
    let entry = try #require(ObjectiveCatalog.entry(kind))
    let objective = try #require(entry.defaults as? any Objective)
    let pool = BufferPool(poisonsReturned: true)
    let student = network(seed: 1, distilled: distilled, pool: pool)
    let teacher = network(seed: 2, distilled: false, pool: pool)
    let batch = Batch(
      images: Tensor([8, 1, 8, 8], CountedValues.uniform("images", count: 8 * 64), from: pool),
      labels: (0..<8).map { MixedLabel($0) }, samples: Array(0..<8),
      repeats: Array(repeating: 0, count: 8))
    let gradient = Tensor([student.parameters.layout.count], from: pool)
    var losses: [Double] = []
    for step in 0..<20 {
      gradient.elements.update(repeating: 0)
      let pass = Pass(
        model: student.model, parameters: student.parameters,
        teacher: FrozenModel(teacher.model, teacher.parameters), products: OpenBLASProducts(),
        pool: pool, gradients: gradient.pointer, seed: 1, step: step, sampleWeight: 1 / 8)
      losses.append(try objective.accumulate(batch, pass).loss)
      for i in 0..<gradient.count where gradient.pointer[i] != 0 {
        student.parameters.values[i] -= gradient.pointer[i] > 0 ? 0.003 : -0.003
      }
    }
    #expect(losses[19] < 0.7 * losses[0], "\(losses)")
  }

  /// Two halves of a batch add up to the whole: what micro-batches rely on.
  @Test(arguments: ObjectiveCatalog.entries.map(\.kind))
  func halvesAddUp(_ kind: String) throws {
    let entry = try #require(ObjectiveCatalog.entry(kind))
    let objective = try #require(entry.defaults as? any Objective)
    let pool = BufferPool(poisonsReturned: true)
    let student = network(seed: 1, distilled: true, pool: pool)
    student.parameters.fillWithCountedValues()
    let batch = Batch(
      images: Tensor([6, 1, 8, 8], CountedValues.uniform("images", count: 6 * 64), from: pool),
      labels: (0..<6).map { MixedLabel($0, partner: 9 - $0, weight: 0.7) }, samples: Array(0..<6),
      repeats: Array(repeating: 0, count: 6))
    func learn(_ parts: [Batch]) throws -> (loss: Double, gradient: [Float]) {
      let gradient = Tensor.zeros([student.parameters.layout.count], from: pool)
      let pass = Pass(
        model: student.model, parameters: student.parameters,
        teacher: FrozenModel(student.model, student.parameters), products: OpenBLASProducts(),
        pool: pool, gradients: gradient.pointer, seed: 1, step: 0, sampleWeight: 1 / 6)
      let loss = try parts.reduce(0.0) { $0 + (try objective.accumulate($1, pass).loss) }
      return (loss, gradient.array)
    }
    let whole = try learn([batch])
    let halves = try learn([batch.slice(0..<2), batch.slice(2..<6)])
    #expect(abs(whole.loss - halves.loss) < 1e-5)
    let scale = whole.gradient.map(abs).max() ?? 0
    #expect(scale > 0)
    // The same sums in another order.
    for (a, b) in zip(whole.gradient, halves.gradient) {
      #expect(isClose(a, b, absolute: 1e-5 * scale))
    }
  }
}
