import ArgumentParser
import Benchmarks
import Configuration
import Networks
import Recipes
import Tensors

extension Bench {
  struct Evaluate: RankedCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forward passes as an evaluation makes them, on images that never change.")
    @Option(help: .init("A model by name (vitdist list models).", valueName: "name")) var model =
      "deit_tiny_patch16_224"
    @Option(help: .init("Take the model from this config instead.", valueName: "file"))
    var config = ""
    @Option(help: .init("Images that go through the model at once.", valueName: "images"))
    var chunk = 32
    @Option(help: .init("Timed passes of every rank, after two that are not.", valueName: "times"))
    var passes = 5
    @Option(
      help: .init(
        "Number format of products; the config's, or f32, by default.", valueName: "format"))
    var precision: Precision?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
      guard chunk > 0, passes > 0 else {
        throw ValidationError("--chunk and --passes are positive.")
      }
    }

    func run(_ session: Session) throws {
      let recipe = try config.isEmpty ? nil : Recipe(file: config)
      let choice =
        try recipe?.model ?? Choice<BackboneCatalog>(yaml: "kind: \(model)", name: "--model")
      var benchmark = EvaluationBenchmark(
        backbone: choice.value, chunk: chunk, passes: passes)
      benchmark.precision = precision ?? recipe?.precision ?? .f32
      let result = try benchmark.run(on: session.communicator)
      if json { return session.output(ValueTree(encoding: result).json) }
      session.output(
        """
        images/s     \(figure(result.imagesPerSecond)) on \(counted(result.ranks, "rank"))
        pass         \(figure(result.millisecondsPerChunk)) ms for \
        \(counted(result.chunk, "image")) at once
        MFU          \(percent(result.mfu)) of \(figure(result.gemmGflops)) GFLOP/s a core \
        (\(result.blasKernel))
        memory       \(mebibytes(result.peakRssBytes)) on the largest rank; \
        \(result.allocationsAfterWarmup) tensor blocks allocated after warm-up
        """)
    }
  }
}
