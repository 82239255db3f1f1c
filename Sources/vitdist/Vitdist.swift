import ArgumentParser
import Benchmarks

@main
struct Vitdist: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vitdist", abstract: "Trains robust Vision Transformers data-parallel over MPI.")
  func run() { scratchBench() }
}
