import Configuration
import Networks
import Testing

/// What a config can get wrong about a model: the key, and a sentence that helps.
@Suite struct OptionsTests {
  @Test(arguments: [
    ("patchSize: 5", "patchSize", "5 does not divide imageSize 224"),
    ("imageSize: 0", "imageSize", "is 0"),
    ("depth: -1", "depth", "is -1"),
    ("heads: 5", "heads", "5 heads do not divide width 768"),
    ("classes: 1", "classes", "is 1"),
    ("mlpRatio: 0", "mlpRatio", "is 0"),
    ("dropPath: 1.5", "dropPath", "is 1.5"),
    ("epsilon: 0", "epsilon", "is 0"),
    ("classToken: false", "classToken", "pooling reads the class token"),
    ("distilled: true, pooling: mean", "distilled", "needs pooling: token"),
    ("mean: [0.5, 0.5]", "mean", "2 means and 0 deviations for 3 channels"),
    ("mean: [0, 0, 0], deviation: [1, 0, 1]", "deviation", "contains 0"),
    ("pooling: max", "pooling", "max"),
    ("widht: 3", "widht", "width"),
  ]) func theMessageNamesTheKey(_ change: String, _ key: String, _ words: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<BackboneCatalog>(yaml: "{kind: vit, \(change)}", name: "model")
    }
    #expect(error?.key == key)
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }

  @Test func anUnknownModelNamesTheNearest() {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<BackboneCatalog>(yaml: "kind: deit_tiny_patch16_225", name: "model")
    }
    #expect(error?.description.contains("deit_tiny_patch16_224") == true)
  }

  @Test func theCatalogueIsSound() {
    #expect(BackboneCatalog.defects == [])
  }

  /// A named model is its options: a config may change any of them.
  @Test func namedModelsCanBeChanged() throws {
    let choice = try Choice<BackboneCatalog>(
      yaml: "{kind: deit_small_patch16_224, classes: 100, imageSize: 96}", name: "model")
    let options = try #require(choice.value as? VisionTransformer)
    #expect(options.width == 384 && options.heads == 6)
    #expect(options.classes == 100 && options.imageSize == 96)
  }
}
