import Archives
import ArgumentParser
import Checkpoints
import Configuration
import Networks
import Recipes
import Tensors

struct Checkpoint: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at, check, compare or export saved states.",
    subcommands: [Inspect.self, Verify.self, Digest.self, Export.self])

  struct Inspect: LoneCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a checkpoint holds.")
    @Argument(help: "A folder step_XXXXXXXX, or one that holds such.") var folder: String

    func work() throws { print(try CheckpointFiles(folder).inspect()) }
  }

  struct Verify: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check every block of a checkpoint against its checksum.")
    @Argument(help: "A folder step_XXXXXXXX, or one that holds such.") var folder: String

    func work() throws {
      let files = try CheckpointFiles(folder)
      let damage = try files.verify()
      if let first = damage.first {
        for other in damage.dropFirst() { print("vitdist: \(other)") }
        throw first
      }
      print("\(files.manifest.path): \(files.manifest.files.count) files, all checksums hold")
    }
  }

  struct Digest: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print one SHA-256 of weights, moments and averages, whoever wrote them.")
    @Argument(help: "A folder step_XXXXXXXX, or one that holds such.") var folder: String

    func work() throws { print(try CheckpointFiles(folder).digest()) }
  }

  struct Export: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a checkpoint's weights as safetensors with timm's names.")
    @Argument(help: "A folder step_XXXXXXXX, or one that holds such.") var folder: String
    @Option(help: "The file to write.") var output: String
    @Option(help: "parameters or average; the average by default where one is kept.")
    var slab = ""
    @Option(help: "f32 or bf16.") var precision = SafeTensors.Precision.f32
    @Flag(help: "Replace an existing file.") var force = false

    func work() throws {
      guard force || !FileSystem.exists(output) else {
        throw ArchiveError(
          .inputOutput, path: output, "the file exists",
          remedy: "Give another --output, or --force to replace it")
      }
      let network = try Network(checkpoint: folder, slab: slab, pool: BufferPool())
      try network.export(to: output, precision: precision)
      print("wrote \(network.parameters.layout.parameterCount) parameters to \(output)")
    }
  }
}

extension SafeTensors.Precision: ExpressibleByArgument {}
