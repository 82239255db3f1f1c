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

  static let folderHelp: ArgumentHelp =
    "A run's folder, a folder of checkpoints (the newest sound one counts) or one checkpoint."

  struct Inspect: LoneCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a checkpoint holds.")
    @Argument(help: Checkpoint.folderHelp) var folder: String

    func work() throws { print(try CheckpointFiles(folder).inspect(), terminator: "") }
  }

  struct Verify: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check every block of a checkpoint against its checksum.")
    @Argument(help: Checkpoint.folderHelp) var folder: String

    func work() throws {
      let files = try CheckpointFiles(folder)
      let damage = try files.verify()
      if let first = damage.first {
        for other in damage.dropFirst() { print("vitdist: \(other)") }
        throw first
      }
      print(
        "\(files.manifest.path): \(counted(files.manifest.files.count, "file")), all checksums hold"
      )
    }
  }

  struct Digest: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print one SHA-256 of weights, moments and averages, whoever wrote them.")
    @Argument(help: Checkpoint.folderHelp) var folder: String

    func work() throws { print(try CheckpointFiles(folder).digest()) }
  }

  struct Export: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a checkpoint's weights as safetensors with timm's names.")
    @Argument(help: Checkpoint.folderHelp) var folder: String
    @Option(help: .init("The safetensors file to write.", valueName: "file")) var output: String
    @Option(
      help: .init(
        "parameters or average. By default the average where one is kept.", valueName: "name"))
    var slab = ""
    @Option(help: .init("Number format of the file.", valueName: "format"))
    var precision = SafeTensors.Precision.f32
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
