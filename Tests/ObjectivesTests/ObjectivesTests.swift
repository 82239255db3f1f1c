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

  /// Twenty steps of equal size against the sign of the gradient, on one batch of eight images.
  @Test(arguments: ObjectiveCatalog.entries.map(\.kind), [false, true])
  func twentyStepsOverfitABatch(_ kind: String, _ distilled: Bool) throws {
    let student = try SmallStudent(kind: kind, distilled: distilled)
    let batch = student.batch(8)
    let losses = try (0..<20).map { step in
      let (loss, gradient) = try student.learn([batch], step: step)
      for entry in student.network.parameters.layout.entries where entry.role == .weight {
        for i in entry.range where gradient[i] != 0 {
          student.network.parameters.values[i] -= gradient[i] > 0 ? 0.003 : -0.003
        }
      }
      return loss
    }
    #expect(losses[19] < 0.8 * losses[0], "\(losses)")
  }

  /// Two halves of a batch add up to the whole: what micro-batches rely on.
  @Test(arguments: ObjectiveCatalog.entries.map(\.kind))
  func halvesAddUp(_ kind: String) throws {
    let student = try SmallStudent(kind: kind, distilled: true)
    student.network.parameters.fillWithCountedValues()
    let batch = student.batch(6, mixed: kind != MART.kind)
    let whole = try student.learn([batch])
    let halves = try student.learn([batch.slice(0..<2), batch.slice(2..<6)])
    #expect(abs(whole.loss - halves.loss) < 1e-5)
    let scale = whole.gradient.map(abs).max() ?? 0
    #expect(scale > 0)
    // The same sums in another order.
    for (a, b) in zip(whole.gradient, halves.gradient) {
      #expect(isClose(a, b, absolute: 1e-5 * scale))
    }
  }
}
