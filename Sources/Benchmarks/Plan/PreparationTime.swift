import Datasets
import Tensors

/// Times what loader threads do, in this thread.
public struct PreparationTime {
  public var pipeline: BatchPipeline
  public var seconds = 1.0

  public init(_ pipeline: BatchPipeline) { self.pipeline = pipeline }

  /// Processor time of one image: the median over shards of the first epoch, from the second on.
  public func measure() throws -> Double {
    let plan = pipeline.plan
    let requests = (0..<plan.stepsPerEpoch).lazy.flatMap { step in
      (0..<plan.virtualShards).lazy.map { ShardRequest(epoch: 0, step: step, shard: $0) }
    }
    let loader = Prefetcher(pipeline, requests, threads: 0, depth: 1, pool: BufferPool())
    _ = try loader.next()
    var times: [Double] = []
    let start = ContinuousClock.now
    while times.isEmpty || (ContinuousClock.now - start).inSeconds < seconds {
      let before = Machine.processorSeconds
      guard let batch = try loader.next() else { break }
      if batch.count > 0 { times.append((Machine.processorSeconds - before) / Double(batch.count)) }
    }
    return median(times)
  }
}
