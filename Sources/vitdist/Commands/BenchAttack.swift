import ArgumentParser
import Benchmarks
import Configuration
import Networks
import Recipes
import Tensors

extension Bench {
  struct Attack: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "One step of PGD against the forward and backward pass of training.")
    @Option(help: .init("A model by name (vitdist list models).", valueName: "name")) var model =
      "deit_tiny_patch16_224"
    @Option(
      help: .init("Take model and micro-batch from this config instead.", valueName: "file"))
    var config = ""
    @Option(help: .init("Images that go through the model at once.", valueName: "images"))
    var microBatch = 4
    @Option(help: .init("Steps of the attack.", valueName: "steps")) var attackSteps = 5
    @Option(help: .init("Tries, of which the fastest counts.", valueName: "times")) var tries = 5
    @Option(
      help: .init(
        "Number format of products; the config's, or f32, by default.", valueName: "format"))
    var precision: Precision?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
      guard microBatch > 0, attackSteps > 0, tries > 0 else {
        throw ValidationError("--micro-batch, --attack-steps and --tries are positive.")
      }
    }

    func work() throws {
      var benchmark = try benchmark()
      if let precision { benchmark.precision = precision }
      let result = try benchmark.run()
      if json { return print(ValueTree(encoding: result).json) }
      print(
        """
        training     \(figure(result.trainingMilliseconds)) ms forward and backward for \
        \(counted(result.microBatch, "image")) (\(result.blasKernel))
        attack step  \(figure(result.attackStepMilliseconds)) ms, \(figure(result.ratio)) of that
        images/s     \(figure(result.imagesPerSecond)) with \
        \(counted(result.attackSteps, "step")) each; products \
        \(figure(result.gemmGflops)) GFLOP/s
        memory       \(mebibytes(result.peakRssBytes)); \(result.allocationsAfterWarmup) tensor blocks allocated after warm-up
        """)
    }

    private func benchmark() throws -> AttackBenchmark {
      guard config.isEmpty else {
        let recipe = try Recipe(file: config)
        var benchmark = AttackBenchmark(
          backbone: recipe.model.value, microBatch: recipe.batch.microBatch,
          attackSteps: attackSteps, tries: tries)
        benchmark.precision = recipe.precision
        return benchmark
      }
      let choice = try Choice<BackboneCatalog>(yaml: "kind: \(model)", name: "--model")
      return AttackBenchmark(
        backbone: choice.value, microBatch: microBatch, attackSteps: attackSteps, tries: tries)
    }
  }
}
