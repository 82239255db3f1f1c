import Autograd
import Configuration
import Networks
import Tensors
import Testing

/// Published sizes of RVT and FAN. The models are declared, not filled.
@Suite struct RobustCountTests {
  struct Size: Sendable, CustomTestStringConvertible {
    let name: String
    let classes: Int
    let parameters: Int
    /// Multiply-adds in 10⁹ as published, to a tenth; 0 where none are.
    let products: Double
    var testDescription: String { "\(name), \(classes) classes" }

    init(_ name: String, _ parameters: Int, _ products: Double = 0, classes: Int = 1000) {
      (self.name, self.parameters, self.products) = (name, parameters, products)
      self.classes = classes
    }
  }

  static let sizes = [
    Size("rvt_tiny", 8_646_376, 1.3),
    Size("rvt_tiny", 8_265_226, classes: 10),
    Size("rvt_tiny", 8_299_876, classes: 100),
    Size("rvt_tiny_plus", 10_951_336, 1.3),
    Size("rvt_tiny_plus", 10_570_186, classes: 10),
    Size("rvt_tiny_plus", 10_604_836, classes: 100),
    Size("rvt_small", 22_148_392, 4.7),
    Size("rvt_small", 21_767_242, classes: 10),
    Size("rvt_small", 21_801_892, classes: 100),
    Size("rvt_small_plus", 23_300_872, 4.7),
    Size("rvt_small_plus", 22_919_722, classes: 10),
    Size("rvt_small_plus", 22_954_372, classes: 100),
    Size("rvt_base", 86_223_784, 17.7),
    Size("rvt_base", 85_462_474, classes: 10),
    Size("rvt_base", 85_531_684, classes: 100),
    Size("rvt_base_plus", 88_528_744, 17.7),
    Size("rvt_base_plus", 87_767_434, classes: 10),
    Size("rvt_base_plus", 87_836_644, classes: 100),
    Size("fan_tiny_12_p16_224", 7_319_920),
    Size("fan_small_12_p16_224", 28_345_336),
    Size("fan_base_18_p16_224", 54_350_320),
    Size("fan_large_24_p16_224", 80_574_100),
    Size("fan_tiny_8_p4_hybrid", 7_467_240, 3.5),
    Size("fan_small_12_p4_hybrid", 26_117_944, 6.7),
    Size("fan_small_12_p4_hybrid", 25_736_794, classes: 10),
    Size("fan_base_16_p4_hybrid", 50_475_048, 11.3),
    Size("fan_large_16_p4_hybrid", 76_855_140),
  ]

  private func declared(_ yaml: String) throws -> (layout: ParameterLayout, model: any Classifier) {
    let declarations = ParameterDeclarations()
    let choice = try Choice<BackboneCatalog>(yaml: yaml, name: "model")
    let model = choice.value.build(in: declarations.root, pool: BufferPool())
    return (declarations.layout, model)
  }

  @Test func everyNameIsInTheTable() {
    let names = RobustModels.rvt.map(\.name) + RobustModels.fan.map(\.name)
    #expect(Set(names) == Set(Self.sizes.map(\.name)))
  }

  @Test(arguments: sizes) func namedModelsHaveThePublishedSize(_ size: Size) throws {
    let (layout, model) = try declared("{kind: \(size.name), classes: \(size.classes)}")
    #expect(layout.parameterCount == size.parameters)
    guard size.products > 0 else { return }
    // Tables round to a tenth, and FAN's leave out the products of attention, 4 % of the sum.
    let difference = abs(Double(model.multiplyAdds) / 1e9 - size.products)
    #expect(difference < 0.05 * size.products + 0.05, "\(model.multiplyAdds)")
  }

  /// The table of RSPC has 91.8 million, which needs the mask in every block.
  @Test(arguments: [
    ("{kind: rvt_base_plus, maskedBlocks: 12}", 91_755_688),
    ("{kind: rvt_base_plus, maskedBlocks: 12, classes: 10}", 90_994_378),
    ("{kind: rvt_base_plus, maskedBlocks: 12, classes: 100}", 91_063_588),
    ("{kind: rvt_tiny_plus, patchReasoning: true}", 10_952_008),
    ("{kind: rvt_small_plus, patchReasoning: true}", 23_302_024),
    ("{kind: rvt_base_plus, patchReasoning: true}", 88_531_048),
  ]) func variantsHaveTheirSize(_ yaml: String, _ expected: Int) throws {
    #expect(try declared(yaml).layout.parameterCount == expected)
  }

  /// The grid that the mask of 196 tokens is made for.
  @Test func tokensLieOnAGridOfFourteen() throws {
    let (layout, model) = try declared("kind: rvt_tiny_plus")
    #expect(layout["transformers.0.blocks.9.attn.att_mask"]?.shape == [6, 196, 196])
    #expect(layout["transformers.1.blocks.0.attn.att_mask"] == nil)
    #expect(layout["pools.0.conv.weight"]?.shape == [384, 1, 3, 3])
    #expect(model.blockOutputs.count == 12 && model.attentions.count == 12)
    #expect(model.attentions.map(\.keys) == Array(repeating: 196, count: 10) + [49, 49])
    #expect(model.usesBatchStatistics && model.description.tokenSide == 16)
  }

  @Test func runningStatisticsAreNoWeights() throws {
    let layout = try declared("kind: rvt_tiny").layout
    let statistics = layout.entries.filter { $0.role == .statistic }
    #expect(statistics.count == 2 * (1 + 3 * 12))
    #expect(
      statistics.allSatisfy {
        $0.name.hasSuffix("running_mean") || $0.name.hasSuffix("running_var")
      })
    #expect(layout["transformers.0.blocks.0.mlp.bn1.running_var"]?.shape == [768])
  }
}
