import Configuration
import Networks
import Objectives
import Optimizers
import Recipes
import TestSupport
import Testing

@Suite struct RecipesTests {
  @Test func allCataloguesAreSound() {
    #expect(BackboneCatalog.defects == [] && ObjectiveCatalog.defects == [])
    #expect(OptimizerCatalog.defects == [] && ScheduleCatalog.defects == [])
  }

  @Test(arguments: [
    ("{}", "epochs", "the run has no length"),
    ("{epochs: 2, steps: 3}", "epochs", "both"),
    ("{epochs: -1}", "epochs", "-1"),
    ("{epochs: .inf}", "epochs", "inf"),
    ("{steps: 1, seed: -1}", "seed", "-1 is outside"),
    ("{steps: 1, batch: {size: 100}}", "batch.size", "100 is not a multiple of virtualShards (32)"),
    ("{steps: 1, batch: {microBatch: 0}}", "batch.microBatch", "0 is not positive"),
    ("{steps: 1, precision: f16}", "precision", "f16"),
    ("{steps: 1, nonFinite: ignore}", "nonFinite", "ignore"),
    ("{steps: 1, evaluation: {chunk: 0}}", "evaluation.chunk", "0 is not positive"),
    ("{steps: 1, data: {loaderThreads: 65}}", "data.loaderThreads", "65 is outside 0...64"),
    ("{steps: 1, data: {prefetch: 0}}", "data.prefetch", "0 is not positive"),
    ("{steps: 1, model: {kind: vit, width: 100}}", "model.heads", "do not divide width 100"),
    ("{steps: 1, optimiser: {kind: sgd}}", "optimiser", "optimizer"),
    ("{steps: 1, optimizer: {kind: adam}}", "optimizer.kind", "adamw"),
  ]) func whatCannotBeIsRefused(_ text: String, _ key: String, _ words: String) {
    let error = #expect(throws: ConfigurationError.self) { try Recipe(yaml: text) }
    #expect(error?.key == key)
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }

  @Test func epochsBecomeSteps() throws {
    #expect(try Recipe(yaml: "epochs: 2.5").totalSteps(stepsPerEpoch: 10) == 25)
    #expect(try Recipe(yaml: "epochs: 0.01").totalSteps(stepsPerEpoch: 10) == 1)
    #expect(try Recipe(yaml: "steps: 7").totalSteps(stepsPerEpoch: 10) == 7)
  }

  /// Naming another kind discards what the file said of the first one.
  @Test func overridesSelectKinds() throws {
    let recipe = try Recipe(
      yaml: "{steps: 1, optimizer: {kind: adamw, beta1: 0.8}}",
      overrides: ["optimizer.kind=sgd", "optimizer.momentum=0.5"])
    let sgd = try #require(recipe.optimizer.value as? SGD)
    #expect(sgd.momentum == 0.5)
  }
}
