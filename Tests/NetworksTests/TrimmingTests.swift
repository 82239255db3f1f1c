import Autograd
import Networks
import Tensors
import TestSupport
import Testing

/// Taps, the last block's trim that depends on them, and drop path.
@Suite struct TrimmingTests {
  @Test func tapsHaveTheirNamesAndShapes() throws {
    let model = SmallModel { ($0.distilled, $0.depth) = (true, 3) }
    let tokens = 2 + 16
    let expected: [String: Shape] = [
      "blocks.0.attn.weights": [2, 2, tokens, tokens], "blocks.1.output": [2, tokens, 32],
      "blocks.2.attn.weights": [2, 2, tokens, tokens], "blocks.2.output": [2, tokens, 32],
      "pooled": [2, 32],
    ]
    let taps = Taps(expected.keys)
    _ = model.logits(model.images(2), taps: taps)
    #expect(taps.values.mapValues(\.shape) == expected)

    let weights = try #require(taps.values["blocks.0.attn.weights"]).tensor
    for row in 0..<weights.shape.rows {
      let sum = (0..<tokens).reduce(Float(0)) { $0 + weights.pointer[row * tokens + $1] }
      #expect(isClose(sum, 1, absolute: 1e-5), "row \(row) of the softmax sums to \(sum)")
    }
  }

  @Test func whatNobodyAskedForIsNotKept() {
    let model = SmallModel()
    let taps = Taps(["pooled", "blocks.7.output"])
    _ = model.logits(model.images(1), taps: taps)
    #expect(Array(taps.values.keys) == ["pooled"])
  }

  /// A tap on the last block makes it compute all tokens. The same sums in products of other
  /// sizes: float32 tolerance.
  @Test(arguments: [false, true]) func trimmingChangesNothing(_ distilled: Bool) {
    let model = SmallModel { $0.distilled = distilled }
    let images = model.images(4)
    func taps() -> Taps { Taps(["blocks.1.output"]) }
    #expect(relativeDistance(model.logits(images), model.logits(images, taps: taps())) < 1e-5)

    let trimmed = model.gradients(images)
    let whole = model.gradients(images, taps: taps())
    for entry in model.network.parameters.layout.entries where !entry.name.hasSuffix("qkv.bias") {
      let (a, b) = (Array(trimmed[entry.range]), Array(whole[entry.range]))
      #expect(relativeDistance(a, b) < 1e-4, "\(entry.name)")
    }
  }

  @Test func aRateOfOneLeavesTheResidualOnly() {
    let model = SmallModel { $0.dropPath = 1 }
    let images = model.images(3)
    let before = model.logits(images, .training)
    let gradient = model.gradients(images)
    let layout = model.network.parameters.layout
    for entry in layout.entries {
      let isLast = entry.name.hasPrefix("blocks.1.")
      #expect(gradient[entry.range].contains { $0 != 0 } != isLast, "\(entry.name)")
    }
    for entry in layout.entries where entry.name.hasPrefix("blocks.1.") {
      model.network.parameters[entry].elements.update(repeating: 3)
    }
    #expect(model.logits(images, .training) == before)
    #expect(model.logits(images, .evaluation) != before)
  }

  @Test func evaluationDropsNothing() {
    let (plain, dropping) = (SmallModel(), SmallModel { $0.dropPath = 0.7 })
    let images = plain.images(3)
    #expect(dropping.logits(images) == plain.logits(images))
    #expect(dropping.logits(images, .training) != plain.logits(images))
  }
}
