import ArgumentParser
import Collectives
import Glibc

@main
enum Program {
  static func main() {
    Processor.refuseIfTooOld()
    do {
      var command = try Vitdist.parseAsRoot()
      try command.run()
    } catch {
      // All ranks of a job read the same command line: one of them says what is wrong with it.
      if Launch.environment("OMPI_COMM_WORLD_RANK") ?? "0" != "0" {
        usleep(Failure.patience)
        exit(Vitdist.exitCode(for: error).rawValue)
      }
      Vitdist.exit(withError: error)
    }
  }
}

struct Vitdist: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "vitdist",
    abstract: "Trains robust Vision Transformers data-parallel over MPI on CPU clusters.",
    version: version,
    subcommands: [
      Train.self, Evaluate.self, Predict.self, Shards.self, Checkpoint.self, Bench.self,
      Compare.self, Plan.self, Doctor.self, List.self,
    ])
}
