import Autograd
import Dispatch
import Networks
import Tensors
import TestSupport
import Testing

/// What rounding the operands of products does to a whole model: its scores and gradients, and what
/// it must leave alone. With one or two heads, of 32 and 16 features, the halves of a block run as
/// wholes; with four, attention is composed of single operations.
@Suite struct BFloat16Tests {
  /// Two blocks at 65 tokens.
  private func model(heads: Int, _ change: (inout VisionTransformer) -> Void = { _ in })
    -> SmallModel
  {
    SmallModel {
      ($0.imageSize, $0.heads) = (16, heads)
      change(&$0)
    }
  }

  /// Eight bits of significand are 2⁻⁹ of a number at worst, a third of that on average; some twenty
  /// roundings follow each other, so a few per mille of the whole remain.
  @Test(arguments: [1, 2, 4], ["library", "tiles", "rounded"])
  func gradientsAreThoseOfSinglePrecision(_ heads: Int, _ kind: String) {
    var model = model(heads: heads)
    let images = model.images(6)
    let (scores, gradients) = (model.logits(images), model.gradients(images))
    model.products =
      kind == "rounded"
      ? RoundedProducts(from: model.pool)
      : BFloat16Products(from: model.pool, usesLibrary: kind == "library")
    #expect(relativeDistance(model.logits(images), scores) < 0.01)
    let rounded = model.gradients(images)
    #expect(rounded != gradients, "nothing was rounded")
    #expect(relativeDistance(rounded, gradients) < 0.02)
    #expect(model.gradients(images) == rounded, "not the same twice")
  }

  /// Tensor by tensor, also where a block is left out, drops paths, runs twice or has the other GELU.
  @Test func everyTensorHasItsGradient() {
    let changes: [(inout VisionTransformer) -> Void] = [
      { _ in }, { $0.dropPath = 0.5 }, { $0.recomputeBlocks = true }, { $0.gelu = .tanh },
      { ($0.pooling, $0.classToken) = (.mean, false) }, { $0.heads = 2 },
    ]
    for change in changes {
      var model = model(heads: 1, change)
      let images = model.images(6)
      let exact = model.gradients(images)
      model.products = BFloat16Products(from: model.pool)
      let rounded = model.gradients(images)
      for entry in model.network.parameters.layout.entries {
        let (a, b) = (Array(rounded[entry.range]), Array(exact[entry.range]))
        // The gradient of the keys' bias is nothing but rounding.
        guard !entry.name.hasSuffix("qkv.bias") else { continue }
        #expect(relativeDistance(a, b) < 0.05, "\(entry.name): \(relativeDistance(a, b))")
      }
    }
  }

  /// The gradient with respect to pixels, which an attack climbs, forms none of weights.
  @Test(arguments: [1, 2, 4]) func attacksSeeTheSameSlope(_ heads: Int) throws {
    var model = model(heads: heads)
    let images = model.images(6)
    func slope() throws -> [Float] {
      let tape = Tape(.inputs, pool: model.pool)
      let cx = model.context(tape: tape)
      let pixels = tape.watch(images)
      let prediction = model.network.model(pixels, cx).prediction(cx)
      let targets = Tensor.zeros(prediction.shape, from: model.pool)
      for row in 0..<6 { targets.pointer[row * 10 + row] = 1 }
      tape.backward(from: cx.crossEntropy(prediction, targets: targets, weight: 1))
      return try #require(tape.gradient(of: pixels)).array
    }
    let exact = try slope()
    model.products = BFloat16Products(from: model.pool)
    let distance = try relativeDistance(slope(), exact)
    // Down to the pixels twice as many roundings follow each other as to a weight in the middle.
    #expect(distance < 0.04, "\(distance)")
  }

  /// Instructions and single precision round the same operands, and sum in other orders; a section of
  /// a block rounds its interior once more.
  @Test(arguments: [1, 2, 4]) func bothWaysOfRoundingAgree(_ heads: Int) {
    var model = model(heads: heads)
    let images = model.images(6)
    model.products = BFloat16Products(from: model.pool)
    let scores = model.logits(images)
    model.products = RoundedProducts(from: model.pool)
    #expect(relativeDistance(model.logits(images), scores) < 0.008)
  }

  /// A reading of the attention weights makes a block compose its attention: the same but for
  /// roundings.
  @Test func lookingAtAttentionChangesLittle() throws {
    var model = model(heads: 1)
    model.products = BFloat16Products(from: model.pool)
    let images = model.images(6)
    let taps = Taps(["blocks.0.attn.weights"])
    let scores = model.logits(images, taps: taps)
    #expect(relativeDistance(scores, model.logits(images)) < 0.008)
    let weights = try #require(taps.values["blocks.0.attn.weights"]).tensor
    #expect(isClose(weights.array.reduce(0, +), Float(6 * 65), absolute: 0.01))
  }

  /// Weights laid out once for many passes give the bits of weights laid out for each, several threads
  /// may ask for them, and when nobody vouches for them any more a change is seen.
  @Test(arguments: ["f32", "bf16"]) func heldWeightsAreTheWeights(_ precision: String) {
    var model = model(heads: 2)
    let products: any MatrixProducts =
      precision == "f32"
      ? TiledProducts(from: model.pool) : BFloat16Products(from: model.pool, usesLibrary: false)
    model.products = products
    let images = model.images(6)
    let (logits, gradients) = (model.logits(images), model.gradients(images))
    do {
      let hold = products.holdWeights()
      #expect(hold != nil)
      nonisolated(unsafe) let (held, same) = (model, images)
      DispatchQueue.concurrentPerform(iterations: 3) { _ in
        for _ in 0..<2 {
          #expect(held.logits(same) == logits)
          #expect(held.gradients(same) == gradients)
        }
      }
      withExtendedLifetime(hold) {}
    }
    let slab = model.network.parameters
    for index in 0..<slab.layout.count { slab.values[index] *= 1.25 }
    let changed = model.logits(images)
    #expect(changed != logits)
    let hold = products.holdWeights()
    #expect(model.logits(images) == changed, "old panels were kept")
    withExtendedLifetime(hold) {}
  }
}
