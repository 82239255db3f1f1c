import ArgumentParser
import Benchmarks
import Configuration
import Networks
import Tensors

extension Bench {
  struct Checkpoint: RankedCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Saving: how long training stands still, and how fast files are written and verified.")
    @Option(help: .init("A model by name (vitdist list models).", valueName: "name")) var model =
      "deit_tiny_patch16_224"
    @Option(
      help: .init(
        "A folder to be made and removed, on the file system to be timed.", valueName: "folder"))
    var folder = "bench-checkpoint"
    @Option(help: .init("Repetitions.", valueName: "times"))
    var repetitions = 15
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
      guard repetitions > 0 else { throw ValidationError("--repetitions is positive.") }
    }

    func run(_ session: Session) throws {
      let choice = try Choice<BackboneCatalog>(yaml: "kind: \(model)", name: "--model")
      let network = Network(choice.value, seed: 1, pool: BufferPool())
      var benchmark = CheckpointBenchmark(layout: network.parameters.layout, folder: folder)
      benchmark.repetitions = repetitions
      let result = try benchmark.run(on: session.communicator)
      if json { return session.output(ValueTree(encoding: result).json) }
      session.output(
        """
        state        \(mebibytes(result.bytes)), \(mebibytes(result.ownedBytes)) on the rank that holds most \
        (\(counted(result.ranks, "rank")))
        stall        \(figure(result.stallMilliseconds)) ms at best for a save in the background, \
        \(figure(result.stallToCopy)) times a copy of the slices \
        (\(figure(result.copyMilliseconds)) ms); median \(figure(result.medianStallMilliseconds)) ms
        save         \(figure(result.backgroundMilliseconds)) ms in the background, \
        \(figure(result.blockingMilliseconds)) ms when training waits
        write        \(figure(result.writeMegabytesPerSecond)) MB/s, read again and durable
        verify       \(figure(result.verifyMegabytesPerSecond)) MB/s from the page cache
        memory       \(result.allocationsAfterWarmup) blocks for copies allocated after the first
        """)
    }
  }
}
