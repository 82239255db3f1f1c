import Autograd
import Networks
import Tensors
import TestSupport
import Testing

/// Forward passes against timm, with weights and images that both sides count out.
@Suite struct ParityTests {
  struct LogitsFixture: Decodable {
    struct Model: Decodable {
      let imageSize, patchSize, channels, width, depth, heads, hidden, classes, parameters: Int
      let pooling: String
      let distilled: Bool
      let mean, std: [Float]
    }
    let model: Model
    let images: Int
    let logits: [Float]
    let otherLogits: [[Float]]
    let sums: [Float]
  }

  static let names = [
    "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224",
    "deit_tiny_distilled_patch16_224", "odd-mean",
  ]

  /// The promise is 1e-4; float32 over twelve blocks gives about 1e-5.
  @Test(arguments: names) func logitsAgreeWithTimm(_ name: String) throws {
    let fixture = try Fixtures.decode("logits.\(name).json", as: LogitsFixture.self)
    let options = VisionTransformer(fixture.model)
    if let named = NamedModels[name] {
      var expected = named
      (expected.mean, expected.deviation) = (options.mean, options.deviation)
      #expect(expected == options, "the catalogue's \(name) is not timm's")
    }
    let pool = BufferPool()
    let network = Network(options, seed: 1, pool: pool)
    #expect(network.parameters.layout.parameterCount == fixture.model.parameters)
    network.parameters.fillWithCountedValues()

    let shape: Shape = [
      fixture.images, options.channels, options.imageSize, options.imageSize,
    ]
    let images = Tensor(shape, CountedValues.uniform("images", count: shape.count), from: pool)
    let cx = Context(parameters: network.parameters, products: OpenBLASProducts(), pool: pool)
    let logits = network.model(Variable(images), cx).prediction(cx).tensor

    let first = Array(logits.array[..<options.classes])
    let worst = zip(first, fixture.logits).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-4)
    for (row, expected) in fixture.otherLogits.enumerated() {
      let start = (row + 1) * options.classes
      for (a, b) in zip(logits.array[start...], expected) {
        #expect(isClose(a, b, absolute: 1e-4))
      }
    }
  }
}

extension VisionTransformer {
  init(_ model: ParityTests.LogitsFixture.Model) {
    self.init()
    (imageSize, patchSize, channels) = (model.imageSize, model.patchSize, model.channels)
    (width, depth, heads, classes) = (model.width, model.depth, model.heads, model.classes)
    mlpRatio = Double(model.hidden) / Double(model.width)
    pooling = model.pooling == "mean" ? .mean : .token
    distilled = model.distilled
    (mean, deviation) = (model.mean, model.std)
  }
}
