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
  @Option(help: .init("A safetensors file, vitdist's or timm's.", valueName: "file"))
  var weights = ""
  @Option(
    help: .init(
      "Instead: a run's folder, a folder of checkpoints (the newest counts) or one checkpoint.",
      valueName: "folder"))
  var checkpoint = ""
  @Option(
    help: .init(
      "Which model the weights belong to (vitdist list models), if the file does not say.",
      valueName: "name"))
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
  @Option(
    parsing: .upToNextOption,
    help: .init("A folder of shards, or HDF5 files.", valueName: "path"))
  var data: [String]
  @Option(
    help: .init(
      "Part of files that hold several, e.g. validation. None by default.", valueName: "name"))
  var split = ""
  @Option(
    help: .init(
      "Part of the resized image that is cut out (0.875: resize to 256 px, crop 224).",
      valueName: "part"))
  var cropFraction = 0.875
  @Option(help: .init("Images that go through the model at once.", valueName: "images"))
  var chunk = 32
  @Option(help: .init("Threads that prepare images, per rank, 0 to 64.", valueName: "threads"))
  var loaderThreads = 1
  @Option(help: .init("Number format of products, f32 or bf16.", valueName: "format"))
  var precision = Precision.f32
}
