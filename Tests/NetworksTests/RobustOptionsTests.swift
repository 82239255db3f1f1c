import Configuration
import Networks
import Testing

/// What a config can get wrong about an RVT or a FAN.
@Suite struct RobustOptionsTests {
  @Test(arguments: [
    ("rvt", "imageSize: 100", "imageSize", "100 is not a multiple of 16"),
    ("rvt", "imageSize: 0", "imageSize", "is 0"),
    ("rvt", "widths: [64, 128]", "widths", "2 widths, 1 heads and 1 depths"),
    ("rvt", "widths: []", "widths", "0 widths"),
    ("rvt", "heads: [5]", "heads", "5 heads do not divide a width of 384"),
    ("rvt", "depths: [0]", "depths", "is 0"),
    (
      "rvt", "widths: [64, 96], heads: [2, 2], depths: [1, 1]", "widths",
      "96 is not a multiple of 64"
    ),
    ("rvt", "maskedBlocks: 13", "maskedBlocks", "13 of the first stage's 12 blocks"),
    ("rvt", "feedForward: none", "feedForward", "none"),
    ("rvt", "dropPath: 1.5", "dropPath", "is 1.5"),
    ("rvt", "width: 3", "width", "widths"),
    ("fan", "imageSize: 72", "imageSize", "72 is not a multiple of 16"),
    ("fan", "heads: 7", "heads", "7 heads do not divide width 384"),
    ("fan", "width: 36, heads: 4", "width", "36 is not a multiple of 8"),
    ("fan", "stem: convnext, stemWidths: [64]", "stemWidths", "has 1 numbers"),
    ("fan", "stem: convnext, stemDepths: [3, 0]", "stemDepths", "is 0"),
    ("fan", "classBlocks: 0", "classBlocks", "is 0"),
    ("fan", "mean: [0.5]", "mean", "1 means and 0 deviations for 3 channels"),
    ("fan", "classes: 1", "classes", "is 1"),
  ]) func theMessageNamesTheKey(
    _ kind: String, _ change: String, _ key: String, _ words: String
  ) {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<BackboneCatalog>(yaml: "{kind: \(kind), \(change)}", name: "model")
    }
    #expect(error?.key == key)
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }

  @Test func namedModelsCanBeChanged() throws {
    let choice = try Choice<BackboneCatalog>(
      yaml: "{kind: rvt_small_plus, classes: 10, imageSize: 64, patchReasoning: true}",
      name: "model")
    let options = try #require(choice.value as? RobustVisionTransformer)
    #expect(options.widths == [384] && options.maskedBlocks == 5 && options.patchReasoning)
    #expect(options.gridSize == 4)
  }
}
