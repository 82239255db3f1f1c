import Archives
import ArgumentParser
import Checkpoints
import Collectives
import Configuration
import Networks
import Recipes
import Tensors

/// Where trained weights come from, and which model they belong to.
struct ModelOptions: ParsableArguments {
  @Option(help: "A safetensors file, vitdist's or timm's.") var weights = ""
  @Option(help: "A checkpoint's folder, or a folder of checkpoints.") var checkpoint = ""
  @Option(help: "Which model the weights belong to (vitdist list models), if they do not say.")
  var model = ""

  func validate() throws {
    guard weights.isEmpty != checkpoint.isEmpty else {
      throw ValidationError("Give either --weights FILE or --checkpoint DIR.")
    }
  }

  func network(pool: BufferPool) throws -> Network {
    if weights.isEmpty { return try Network(checkpoint: checkpoint, pool: pool) }
    let choice =
      model.isEmpty ? nil : try Choice<BackboneCatalog>(yaml: "kind: \(model)", name: "--model")
    return try Network(weights: weights, model: choice, pool: pool)
  }
}

/// Which images a trained model is shown.
struct DataSelection: ParsableArguments {
  @Option(parsing: .upToNextOption, help: "A folder of shards, or files.") var data: [String]
  @Option(help: "Part of files that hold several, e.g. validation.") var split = ""
  @Option(help: "Part of the resized image that is cut out (0.875: resize 256, crop 224).")
  var cropFraction = 0.875
  @Option(help: "Images that go through the model at once.") var chunk = 32
  @Option(help: "Threads that prepare images, per rank.") var loaderThreads = 1
}
