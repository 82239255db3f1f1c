import ArgumentParser
import Benchmarks
import Configuration
import Datasets
import Networks
import Objectives
import Optimizers
import Recipes
import Tensors
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Time this machine: products, training and attack steps, evaluation, the reduction, data, "
      + "checkpoints, and how cost grows.",
    subcommands: [
      Gemm.self, Step.self, Attack.self, Evaluate.self, Reduce.self, Data.self, Checkpoint.self,
      Growth.self,
    ])

  struct Gemm: RankedCommand {
    static let configuration = CommandConfiguration(
      abstract: "The rate of matrix products, by size, on each rank at once.")
    @Option(help: .init("Number format of products.", valueName: "format"))
    var precision = Precision.f32
    @Flag(help: "Print JSON.") var json = false

    struct Result: Codable {
      var blasKernel = ""
      var ranks = 1
      var gemmGflops = 0.0
      var gflopsBySide: [String: Double] = [:]
    }

    func run(_ session: Session) throws {
      let pool = BufferPool()
      let products = precision.products(from: pool)
      var result = Result()
      result.blasKernel = products.kernel
      result.ranks = session.communicator.size
      for side in [256, 512, 1024, 2048] {
        try session.communicator.barrier()
        let rate = ProductRate.measure(products, side: side, pool: pool)
        let slowest = try session.communicator.allReduce(Int(rate * 1000), by: .minimum)
        result.gflopsBySide["\(side)"] = Double(slowest) / 1000
      }
      result.gemmGflops = result.gflopsBySide["1024"] ?? 0
      if json { return session.output(ValueTree(encoding: result).json) }
      session.output(
        "\(result.blasKernel) kernels, \(precision.rawValue), \(counted(result.ranks, "rank")); GFLOP/s of the slowest:"
      )
      for side in [256, 512, 1024, 2048] {
        let rate = figure(result.gflopsBySide["\(side)"] ?? 0)
        session.output("  \(side < 1000 ? " " : "")\(side)³  \(rate)")
      }
    }
  }

  struct Step: RankedCommand {
    static let configuration = CommandConfiguration(
      abstract: "Whole training steps on images that never change.")
    @Option(help: .init("A model by name (vitdist list models).", valueName: "name")) var model =
      "deit_tiny_patch16_224"
    @Option(
      help: .init(
        "Take model, batch, objective and optimizer from this config instead.", valueName: "file"))
    var config = ""
    @Option(
      help: .init(
        "What a step minimises, as in a config, e.g. '{kind: adversarial}'. Not with --config.",
        valueName: "options"))
    var objective = ""
    @Option(help: .init("Images of a step, over all ranks.", valueName: "images")) var batch = 32
    @Option(help: .init("Images that go through the model at once.", valueName: "images"))
    var microBatch = 4
    @Option(help: .init("Parts of a batch; 0 for one a rank and thread.", valueName: "shards"))
    var virtualShards = 0
    @Option(
      help: .init("Threads of each rank; by default 1, or the config's.", valueName: "threads"))
    var threads: Int?
    @Option(help: .init("Timed steps, after two that are not.", valueName: "steps")) var steps = 5
    @Option(
      help: .init(
        "Number format of products; the config's, or f32, by default.", valueName: "format"))
    var precision: Precision?
    @Flag(help: "Exchange gradients after the backward pass, not during it.") var blocking = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
      guard config.isEmpty || objective.isEmpty else {
        throw ValidationError("Give --config FILE, which has an objective, or --objective.")
      }
      guard (1...ThreadTeam.limit).contains(threads ?? 1) else {
        throw ValidationError("--threads is from 1 to \(ThreadTeam.limit).")
      }
    }

    func run(_ session: Session) throws {
      var benchmark = try config.isEmpty ? named(session) : configured()
      guard benchmark.objective.teacher.weights.isEmpty else {
        throw ConfigurationError(
          config.isEmpty ? "--objective" : "objective",
          "learns from a teacher, which is not loaded",
          remedy: "Time an objective without one")
      }
      benchmark.overlapsExchange = !blocking
      if let precision { benchmark.precision = precision }
      if let threads { benchmark.threads = threads }
      let result = try benchmark.run(on: session.communicator)
      if json { return session.output(ValueTree(encoding: result).json) }
      for advice in Advice.all(OpenBLASProducts(), session.communicator) { session.say(advice) }
      session.output(text(result))
    }

    private func named(_ session: Session) throws -> StepBenchmark {
      let choice = try Choice<BackboneCatalog>(yaml: "kind: \(model)", name: "--model")
      let workers = session.communicator.size * (threads ?? 1)
      let shards = virtualShards > 0 ? virtualShards : workers
      guard batch > 0, batch % shards == 0, microBatch > 0, steps > 0 else {
        throw ConfigurationError(
          "--batch", "\(batch) is not a multiple of \(shards) virtual shards",
          remedy: "Give a positive multiple, and positive --micro-batch and --steps")
      }
      var minimised = Choice<ObjectiveCatalog>()
      if !objective.isEmpty { minimised = try Choice(yaml: objective, name: "--objective") }
      return StepBenchmark(
        backbone: choice.value, objective: minimised.value,
        rule: .init(optimizer: AdamW(), schedule: WarmupSchedule<NoDecay>()),
        batch: batch, virtualShards: shards, microBatch: microBatch, steps: steps)
    }

    private func configured() throws -> StepBenchmark {
      let recipe = try Recipe(file: config)
      var benchmark = StepBenchmark(
        backbone: recipe.model.value, objective: recipe.objective.value,
        rule: .init(
          optimizer: recipe.optimizer.value, schedule: WarmupSchedule<NoDecay>(),
          average: recipe.average),
        batch: recipe.batch.size, virtualShards: recipe.batch.virtualShards,
        microBatch: recipe.batch.microBatch, steps: steps)
      benchmark.precision = recipe.precision
      benchmark.threads = recipe.threads
      return benchmark
    }

    private func text(_ result: StepBenchmark.Result) -> String {
      """
      images/s     \(figure(result.imagesPerSecond)) on \(counted(result.ranks, "rank"))\
      \(result.threads > 1 ? " of \(result.threads) threads" : "")
      step         \(figure(result.millisecondsPerStep)) ms for \(result.batch) images in \
      micro-batches of \(result.microBatch)
      MFU          \(percent(result.mfu)) of \(figure(result.gemmGflops)) GFLOP/s a core \
      (\(result.blasKernel)); \(percent(result.executedShare)) of the model's operations are executed
      reduce       \(figure(result.reduceMilliseconds)) ms, update \
      \(figure(result.updateMilliseconds)) ms
      memory       \(mebibytes(result.peakRssBytes)) on the largest rank; \
      \(result.allocationsAfterWarmup) tensor blocks allocated after warm-up
      processor    \(percent(result.processorShare)) of the wall time; at least \
      \(Float(result.processorMillisecondsPerStep)) ms a step, MFU of that \
      \(percent(result.mfuOfProcessorTime))

      \(result.memory.table)
      """
    }
  }

  struct Reduce: RankedCommand {
    static let configuration = CommandConfiguration(
      abstract: "The exact reduction against MPI_Allreduce, turn by turn.")
    @Option(help: .init("Floats; 5767168 (22 MiB) are a ViT-Ti.", valueName: "floats"))
    var count = 5_767_168
    @Option(help: .init("Virtual shards.", valueName: "shards")) var virtualShards = 32
    @Option(help: .init("Repetitions, of which the median counts.", valueName: "times"))
    var repetitions = 31
    @Flag(help: "Print JSON.") var json = false

    func run(_ session: Session) throws {
      let result = try ReductionBenchmark(
        count: count, virtualShards: virtualShards, repetitions: repetitions
      ).run(on: session.communicator)
      if json { return session.output(ValueTree(encoding: result).json) }
      session.output(
        """
        \(mebibytes(result.bytes)) on \(counted(result.ranks, "rank")), medians:
          exact reduction  \(figure(result.reduceMilliseconds)) ms (same bits on any number of ranks)
          MPI_Allreduce    \(figure(result.allreduceMilliseconds)) ms
        """)
    }
  }
}

extension Bench {
  struct Data: LoneCommand {
    static let configuration = CommandConfiguration(
      abstract: "The training pipeline alone: read, decode, crop, resize, flip, to pixels.")
    @Option(
      parsing: .upToNextOption,
      help: .init("A folder of shards, or HDF5 files.", valueName: "path"))
    var data: [String]
    @Option(help: .init("Part of files that hold several. None by default.", valueName: "name"))
    var split = ""
    @Option(help: .init("Side of the images that come out.", valueName: "pixels")) var imageSize =
      224
    @Option(help: .init("Loader threads, 0 to 64.", valueName: "threads")) var threads = 1
    @Option(help: .init("Passes over the data, after one that is not timed.", valueName: "times"))
    var passes = 3
    @Option(
      help: .init(
        "What is done to an image: none; crop is a random resized crop and a flip; randaugment adds "
          + "DeiT's RandAugment; deit its whole recipe, with erasing and mixing.",
        valueName: "recipe"))
    var augmentation = DataBenchmark.Augmentation.crop
    @Flag(help: "Decode at full size always.") var exactDecode = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
      guard imageSize > 0, (0...64).contains(threads), passes > 0 else {
        throw ValidationError("--image-size and --passes are positive, --threads is 0 to 64.")
      }
    }

    func work() throws {
      let source = try ShardSet(paths: data, split: split)
      var benchmark = DataBenchmark(
        source: source, image: ImageShape(size: imageSize), augmentation: augmentation.options)
      benchmark.threads = threads
      benchmark.passes = passes
      benchmark.decoding.exactDecode = exactDecode
      let result = try benchmark.run()
      if json { return print(ValueTree(encoding: result).json) }
      print(
        """
        images/s     \(figure(result.imagesPerSecond)) with \(counted(result.threads, "loader thread")), \
        \(figure(result.processorMilliseconds)) ms of processor time an image
        memory       \(result.allocationsAfterWarmup) tensor blocks allocated after warm-up
        """)
    }
  }
}

extension Precision: ExpressibleByArgument {}
extension DataBenchmark.Augmentation: ExpressibleByArgument {}
