import Datasets
import Tensors
import Testing
import Training

/// Batches that are trained on several times in a row: 50 images in batches of 16 and four virtual
/// shards, so that the last batch has two images and leaves shards empty.
@Suite struct ReplayTests {
  private let pipeline: BatchPipeline

  init() throws {
    var images = SyntheticOptions()
    (images.imageSize, images.count) = (8, 50)
    pipeline = try BatchPipeline(
      source: try SyntheticImages(images, split: .train), image: ImageShape(size: 8),
      batchSize: 16, virtualShards: 4, seed: 3, augmentation: AugmentationOptions())
  }

  private func plan(replays: Int, epochs: Int = 2) -> TrainingPlan {
    TrainingPlan(
      seed: 3, batches: pipeline.plan, microBatch: 4, totalSteps: 4 * epochs * replays,
      replays: replays)
  }

  /// The samples and pixels of every shard's batch from step `first` on.
  private func batches(
    _ plan: TrainingPlan, from first: Int = 0, shards: Range<Int> = 0..<4
  ) throws -> [[(samples: [Int], pixels: [Float])]] {
    let loaded = LoadedBatches(
      pipeline, plan: plan, from: first, shards: shards, threads: 1, depth: 3, pool: BufferPool())
    return try (first..<plan.totalSteps).map { _ in
      try shards.map { _ in
        let batch = try loaded.next()
        return (batch.samples, batch.images.array)
      }
    }
  }

  @Test func everyBatchComesSeveralTimesInTheOrderOfPlainTraining() throws {
    let plain = try batches(plan(replays: 1))
    let replayed = try batches(plan(replays: 3))
    #expect(replayed.count == 24)
    for (step, shards) in replayed.enumerated() {
      for (shard, batch) in shards.enumerated() {
        let expected = plain[step / 3][shard]
        #expect(batch.samples == expected.samples && batch.pixels == expected.pixels)
      }
    }
  }

  /// A run may be taken up between two replays, by a rank that has other shards.
  @Test(arguments: 0..<24) func anyStepCanBeTheFirst(_ first: Int) throws {
    let whole = try batches(plan(replays: 3))
    let rest = try batches(plan(replays: 3), from: first, shards: 1..<3)
    for (step, shards) in rest.enumerated() {
      #expect(shards.map(\.samples) == whole[first + step][1..<3].map(\.samples))
    }
  }

  @Test func epochsAndSamplesCountReplays() {
    let plan = plan(replays: 3)
    #expect(plan.stepsPerEpoch == 12)
    #expect((0..<24).map(plan.epoch) == (0..<24).map { $0 / 12 })
    #expect((0..<12).map(plan.samples(in:)) == [16, 16, 16, 16, 16, 16, 16, 16, 16, 2, 2, 2])
    var seen = 0
    for step in 0..<24 {
      #expect(plan.samples(before: step) == seen, "before step \(step)")
      seen += plan.samples(in: step)
    }
    #expect(plan.samples(before: 24) == 300)
    #expect(plan.runLength.stepsPerEpoch == 12)
  }
}
