import Datasets
import Synchronization
import Tensors
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PrefetcherTests {
  @Test(arguments: [0, 1, 2, 3], [1, 4])
  func batchesAreThoseMadeDirectly(_ threads: Int, _ depth: Int) throws {
    let (pipeline, requests) = try make(corrupt: [])
    let (pool, workspace) = (BufferPool(), LoaderWorkspace())
    let prefetcher = Prefetcher(
      pipeline, requests, threads: threads, depth: depth, pool: BufferPool())
    for request in requests {
      let direct = try pipeline.batch(request, using: workspace, from: pool)
      let batch = try #require(try prefetcher.next())
      #expect(batch.samples == direct.samples && batch.labels == direct.labels)
      #expect(batch.images.array == direct.images.array)
    }
    #expect(try prefetcher.next() == nil)
    #expect(try prefetcher.next() == nil)
    #expect(prefetcher.secondsWaited >= 0)
  }

  @Test(arguments: [0, 1, 3])
  func steadyStateAllocatesNothing(_ threads: Int) throws {
    let (pipeline, requests) = try make(corrupt: [], samples: 32)
    let pool = BufferPool()
    do {
      let prefetcher = Prefetcher(
        pipeline, (0..<6).flatMap { _ in requests }, threads: threads, depth: 4, pool: pool)
      while let batch = try prefetcher.next() { #expect(batch.count == 4) }
    }
    // Of 48 batches exist at most: `depth` ready or in the making, the consumer's, and one that a
    // loader has handed in and not yet let go of.
    #expect(pool.statistics.allocations <= 4 + 1 + threads)
    // Loaders have ended with the prefetcher, so none of them still holds a batch.
    #expect(pool.statistics.bytesInUse == 0)
  }

  @Test(arguments: [0, 1, 2, 3])
  func anErrorComesInItsTurnAndNamesTheSample(_ threads: Int) throws {
    let (pipeline, requests) = try make(corrupt: [7])
    let failing = try #require(
      requests.firstIndex { pipeline.visits($0).contains { $0.sample == 7 } })
    let prefetcher = Prefetcher(
      pipeline, requests, threads: threads, depth: 3, pool: BufferPool())
    for _ in 0..<failing { #expect(try prefetcher.next() != nil) }
    let error = #expect(throws: SampleError.self) { try prefetcher.next() }
    #expect(error?.description.contains("picture 7 of a list") == true)
    #expect(try prefetcher.next() == nil)
  }

  @Test(arguments: [1, 2, 3])
  func loadersStopWhenTheConsumerLeaves(_ threads: Int) throws {
    let pool = BufferPool()
    for taken in [0, 1, 5] {
      let producer = EndlessProducer()
      do {
        let prefetcher = Prefetcher(producer, 0..., threads: threads, depth: 2, pool: pool)
        for number in 0..<taken { #expect(try prefetcher.next()?.samples == [number]) }
      }
      let made = producer.made.load(ordering: .sequentiallyConsistent)
      #expect(made <= taken + 2)
      #expect(pool.statistics.bytesInUse == 0)
    }
  }

  private final class EndlessProducer: BatchProducer {
    let made = Atomic<Int>(0)

    func batch(
      _ request: Int, using workspace: LoaderWorkspace, from pool: BufferPool
    ) throws -> Batch {
      made.add(1, ordering: .sequentiallyConsistent)
      return Batch(
        images: .zeros([1, 1, 2, 2], from: pool), labels: [MixedLabel(0)], samples: [request],
        repeats: [0])
    }
  }

  private func make(
    corrupt: Set<Int>, samples: Int = 22
  ) throws -> (BatchPipeline, [ShardRequest]) {
    let pipeline = try BatchPipeline(
      source: try PictureSource(count: samples, corrupt: corrupt), image: ImageShape(size: 24),
      batchSize: 8, virtualShards: 2, seed: 3, augmentation: .deit)
    let requests = (0..<pipeline.plan.stepsPerEpoch).flatMap { step in
      (0..<2).map { ShardRequest(epoch: 2, step: step, shard: $0) }
    }
    return (pipeline, requests)
  }
}
