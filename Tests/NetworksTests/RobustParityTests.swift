import Autograd
import Configuration
import Networks
import Tensors
import TestSupport
import Testing

/// RVT and FAN against an independent implementation in float64.
@Suite struct RobustParityTests {
  /// The promise is 1e-4.
  @Test(arguments: RobustFixture.names) func logitsAgree(_ name: String) throws {
    let fixture = try RobustFixture.load(name).fixture
    let model = try RobustModel(name)
    #expect(model.network.parameters.layout.parameterCount == fixture.parameters)
    let images = model.images(fixture.images)
    for (phase, expected) in [
      (Phase.evaluation, fixture.evaluationLogits), (.training, fixture.trainingLogits),
    ] {
      let found = model.logits(images, phase)
      let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst < 1e-4 && found.count == expected.count, "\(phase): \(worst)")
    }
  }

  /// Published models at their own size: other bands, other tails.
  @Test(arguments: ["rvt_tiny_plus", "fan_tiny_8_p4_hybrid"])
  func logitsOfPublishedModelsAgree(_ name: String) throws {
    struct Named: Decodable { let logits: [Float] }
    let expected = try Fixtures.decode("robust.\(name).json", as: Named.self).logits
    let choice = try Choice<BackboneCatalog>(yaml: "kind: \(name)", name: name)
    let model = RobustModel(choice.value)
    let found = model.logits(model.images(1))
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-4 && found.count == 1000, "\(worst)")
  }

  /// Float32 over convolutions and batch normalisation leaves about 1e-5 of a gradient's norm; a
  /// gradient that is zero but for rounding is compared with the largest.
  @Test(arguments: RobustFixture.names) func gradientsAgree(_ name: String) throws {
    let fixture = try RobustFixture.load(name).fixture
    let model = try RobustModel(name)
    let found = model.gradients(model.images(fixture.images))
    let largest = fixture.gradients.values.map(\.norm).max() ?? 0
    compare(found.pixels, fixture.pixelGradient, "pixels", floor: 0)
    let layout = model.network.parameters.layout
    let names = Set(fixture.gradients.keys).union(fixture.statistics.keys)
    #expect(names == Set(layout.entries.map(\.name)))
    for entry in layout.entries {
      let values = Array(found.slab[entry.range])
      if let expected = fixture.gradients[entry.name] {
        compare(values, expected, entry.name, floor: 1e-3 * largest)
      } else if let expected = fixture.statistics[entry.name] {
        #expect(entry.role == .statistic)
        compare(values, expected, entry.name, floor: 0)
      }
    }
  }

  private func compare(
    _ found: [Float], _ expected: RobustFixture.Digest, _ what: String, floor: Float
  ) {
    let difference = expected.difference(from: found, within: 2e-4 * max(expected.norm, floor))
    #expect(difference == nil, "\(what)")
  }
}
