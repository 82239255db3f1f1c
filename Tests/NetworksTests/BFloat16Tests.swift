import Tensors
import TestSupport
import Testing

/// What rounding the operands of products does to a whole model: its scores and gradients, and what
/// it must leave alone.
@Suite struct BFloat16Tests {
  /// Two blocks at 65 tokens. Eight bits of significand are 2⁻⁹ of a number at worst, a third of that
  /// on average; some ten products follow each other, so a few per mille of the whole remain.
  @Test(arguments: [true, false]) func gradientsAreThoseOfSinglePrecision(_ byInstructions: Bool) {
    var model = SmallModel { $0.imageSize = 16 }
    let images = model.images(6)
    let (scores, gradients) = (model.logits(images), model.gradients(images))
    model.products = byInstructions ? BFloat16Products() : RoundedProducts()
    #expect(relativeDistance(model.logits(images), scores) < 0.01)
    let rounded = model.gradients(images)
    #expect(rounded != gradients, "nothing was rounded")
    #expect(relativeDistance(rounded, gradients) < 0.02)
    #expect(model.gradients(images) == rounded, "not the same twice")
  }

  /// Instructions and single precision round the same operands, and sum in other orders.
  @Test func bothWaysOfRoundingAgree() {
    var model = SmallModel { $0.imageSize = 16 }
    let images = model.images(6)
    model.products = BFloat16Products()
    let scores = model.logits(images)
    model.products = RoundedProducts()
    #expect(relativeDistance(model.logits(images), scores) < 0.005)
  }
}
