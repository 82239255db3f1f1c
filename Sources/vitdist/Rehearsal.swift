import Benchmarks
import Collectives
import Configuration
import Datasets
import Networks
import Optimizers
import Recipes
import Training

/// A config's run without its length: what is timed for a plan, and how often it will happen.
struct Rehearsal {
  private let recipe: Recipe
  private let pipeline: BatchPipeline?
  private(set) var run = ScalingModel.Run()
  let announcement: String

  /// - Parameter samples: training images where the data is not here; 0 to read it.
  init(_ recipe: Recipe, samples: Int) throws {
    self.recipe = recipe
    guard recipe.objective.value.teacher.weights.isEmpty else {
      throw ConfigurationError(
        "objective", "learns from a teacher, which a plan does not load",
        remedy: "Plan the run without it, and add a forward pass of the teacher")
    }
    guard samples > 0 || !recipe.data.train.isEmpty else {
      throw ConfigurationError(
        "--samples", "the config names no data, so the length of an epoch is unknown",
        remedy: "Give the number of training images, or data.train")
    }
    let description = recipe.model.value.outline
    let batches: BatchPlan
    if samples > 0 {
      pipeline = nil
      batches = try BatchPlan(
        sampleCount: samples, batchSize: recipe.batch.size,
        virtualShards: recipe.batch.virtualShards)
    } else {
      let source = try ShardSet(recipe.data.train, split: recipe.data.trainSplit)
      let pipeline = try recipe.pipeline(over: source, for: description)
      self.pipeline = pipeline
      batches = pipeline.plan
    }
    let replays = recipe.objective.value.replays
    run.batch = recipe.batch.size
    run.virtualShards = recipe.batch.virtualShards
    run.threads = recipe.threads
    run.stepsPerEpoch = batches.stepsPerEpoch * replays
    run.totalSteps = recipe.totalSteps(stepsPerEpoch: run.stepsPerEpoch)
    run.shardsAhead = recipe.data.prefetch + recipe.data.loaderThreads + 1
    run.judgesAverage = recipe.average.isOn
    run.imageBytes =
      description.channels * description.side * description.side * MemoryLayout<Float>.stride
    if samples == 0, !recipe.data.validation.isEmpty {
      run.evaluationImages = try ShardSet(
        recipe.data.validation, split: recipe.data.validationSplit
      ).count
    }
    let period = recipe.evaluation.everyEpochs * run.stepsPerEpoch
    run.evaluations = period > 0 ? (run.totalSteps + period - 1) / period : 1
    let saves = recipe.checkpoints.everySteps
    run.checkpoints = 1 + (saves > 0 ? (run.totalSteps - 1) / saves : 0)
    if run.evaluationImages > 0 {
      let chunks = Evaluator.chunksAhead + recipe.data.loaderThreads + 1
      run.evaluationAhead = chunks * recipe.evaluation.chunk
    }
    run.savesCopy = recipe.checkpoints.background
    announcement =
      "\(recipe.model.kind), \(recipe.objective.kind): \(batches.sampleCount) images, batches of "
      + "\(run.batch) in \(run.virtualShards) virtual shards"
  }

  func profile(steps: Int, on communicator: any Communicator) throws -> StepProfile {
    var subject = StepBenchmark(
      backbone: recipe.model.value, objective: recipe.objective.value,
      rule: .init(
        optimizer: recipe.optimizer.value, schedule: WarmupSchedule<NoDecay>(),
        clipping: recipe.clipping, average: recipe.average),
      batch: recipe.batch.size, virtualShards: recipe.batch.virtualShards,
      microBatch: recipe.batch.microBatch, steps: steps)
    subject.precision = recipe.precision
    var profiler = StepProfiler(subject)
    profiler.chunk = recipe.evaluation.chunk
    var profile = try profiler.run(on: communicator)
    if let pipeline {
      let time = try PreparationTime(pipeline).measure()
      let slowest = try communicator.allReduce(Int(time * 1e12), by: .maximum)
      profile.preparationSeconds = Double(slowest) * 1e-12
    }
    return profile
  }
}
