import Autograd
import Networks
import Tensors
import Testing

/// Published sizes. The models are declared, not filled: the largest would take 2.5 GB.
@Suite struct ParameterCountTests {
  struct Size: Sendable, CustomTestStringConvertible {
    let name: String
    let parameters: Int
    /// Multiply-adds of a forward pass in 10⁹, to three decimals; 0 where none are published.
    let products: Double
    var testDescription: String { name }

    init(_ name: String, _ parameters: Int, _ products: Double = 0) {
      (self.name, self.parameters, self.products) = (name, parameters, products)
    }
  }

  /// With 1000 classes. timm builds ViT-H/14 and ViT-L/32 without a head by default.
  static let sizes = [
    Size("vit_tiny_patch16_224", 5_717_416, 1.254),
    Size("vit_small_patch16_224", 22_050_664, 4.599),
    Size("vit_small_patch32_224", 22_878_952, 1.143),
    Size("vit_base_patch16_224", 86_567_656, 17.564),
    Size("vit_base_patch32_224", 88_224_232, 4.409),
    Size("vit_base_patch16_384", 86_859_496, 55.484),
    Size("vit_large_patch16_224", 304_326_632, 61.555),
    Size("vit_large_patch32_224", 306_535_400, 15.378),
    Size("vit_large_patch16_384", 304_715_752, 191.066),
    Size("vit_huge_patch14_224", 632_045_800, 167.295),
    Size("deit_tiny_patch16_224", 5_717_416, 1.254),
    Size("deit_small_patch16_224", 22_050_664, 4.599),
    Size("deit_base_patch16_224", 86_567_656, 17.564),
    Size("deit_base_patch16_384", 86_859_496, 55.484),
    Size("deit_tiny_distilled_patch16_224", 5_910_800),
    Size("deit_small_distilled_patch16_224", 22_436_432),
    Size("deit_base_distilled_patch16_224", 87_338_192),
    Size("deit_base_distilled_patch16_384", 87_630_032),
  ]

  private func declared(_ options: VisionTransformer) -> (count: Int, model: any Classifier) {
    let declarations = ParameterDeclarations()
    let model = options.build(in: declarations.root, pool: BufferPool())
    return (declarations.layout.parameterCount, model)
  }

  @Test func everyNameIsInTheTable() {
    #expect(Set(NamedModels.entries.map(\.name)) == Set(Self.sizes.map(\.name)))
  }

  @Test(arguments: sizes) func namedModelsHaveThePublishedSize(_ size: Size) throws {
    let (count, model) = declared(try #require(NamedModels[size.name]))
    #expect(count == size.parameters)
    guard size.products > 0 else { return }
    #expect(abs(Double(model.multiplyAdds) / 1e9 - size.products) < 0.0006)
  }

  @Test(arguments: [
    ("tiny", 10, 5_526_346), ("small", 10, 21_669_514), ("base", 10, 85_806_346),
    ("tiny", 100, 5_543_716), ("small", 100, 21_704_164), ("base", 100, 85_875_556),
  ]) func otherHeadsOnlyChangeTheHead(_ size: String, _ classes: Int, _ expected: Int) throws {
    var options = try #require(NamedModels["vit_\(size)_patch16_224"])
    options.classes = classes
    #expect(declared(options).count == expected)
  }

  /// Width, depth, heads, hidden over width, patch, side, channels.
  @Test func smallModelsHaveThePublishedSize() {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize, options.classes) = (32, 4, 10)
    (options.width, options.depth, options.heads) = (192, 6, 3)
    #expect(declared(options).count == 2_693_578)
    (options.width, options.heads, options.mlpRatio) = (64, 2, 2)
    #expect(declared(options).count == 208_970)
    (options.imageSize, options.patchSize, options.channels) = (8, 2, 1)
    (options.width, options.depth, options.mlpRatio) = (32, 2, 2)
    #expect(declared(options).count == 18_218)
  }
}
