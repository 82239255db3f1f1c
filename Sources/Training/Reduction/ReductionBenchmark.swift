import Autograd
import Collectives
import Tensors

/// Times the exact reduction against the library's all-reduce of the same slab, turn by turn in one
/// process, so that the noise of the machine meets both.
public struct ReductionBenchmark: Sendable {
  /// Medians over the repetitions, of the slowest rank of each.
  public struct Result: Sendable, Codable {
    public var bytes = 0
    public var ranks = 1
    public var virtualShards = 1
    /// From local sums to the same summed values on all ranks: exchange, tree, all-gather.
    public var reduceMilliseconds = 0.0
    /// `MPI_Allreduce` of the same local sums, in place.
    public var allreduceMilliseconds = 0.0
    /// Adding the last shard to this rank's subtrees, which an all-reduce needs as well.
    public var mergeMilliseconds = 0.0
  }

  public var count: Int
  public var virtualShards: Int
  public var repetitions: Int

  /// - Parameters:
  ///   - count: elements; 5.77 million (22 MiB) are a ViT-Ti.
  ///   - virtualShards: at least the number of ranks.
  public init(count: Int = 5_767_168, virtualShards: Int = 32, repetitions: Int = 31) {
    self.count = count
    self.virtualShards = virtualShards
    self.repetitions = repetitions
  }

  /// Runs on all ranks; the same result on all.
  public func run(on communicator: any Communicator) throws -> Result {
    var layout = ParameterLayout()
    layout.append("slab", Shape([count]))
    let reducer = try GradientReducer(
      layout: layout, virtualShards: virtualShards, communicator: communicator)
    let plain = BufferPool().take(layout.count)
    plain.pointer.update(repeating: 1, count: layout.count)
    var exact: [Duration] = []
    var library: [Duration] = []
    var merge: [Duration] = []
    for repetition in 0..<repetitions + 2 {
      let step = try timeReducer(reducer, communicator)
      try communicator.barrier()
      let start = ContinuousClock.now
      try communicator.allReduceSum(
        UnsafeMutableBufferPointer(start: plain.pointer, count: layout.count))
      let time = ContinuousClock.now - start
      plain.pointer.update(repeating: 1, count: layout.count)
      // The first rounds touch memory for the first time.
      if repetition < 2 { continue }
      // A rank whose merge was slow keeps the others waiting: that wait is the merge's cost.
      let merged = try slowest(step.merge, communicator)
      exact.append(try slowest(step.total, communicator) - merged)
      merge.append(merged)
      library.append(try slowest(time, communicator))
    }
    return Result(
      bytes: layout.count * MemoryLayout<Float>.stride, ranks: communicator.size,
      virtualShards: virtualShards, reduceMilliseconds: median(exact),
      allreduceMilliseconds: median(library), mergeMilliseconds: median(merge))
  }

  /// One step's reduction from the last shard's gradient to the gathered slab.
  private func timeReducer(_ reducer: GradientReducer, _ communicator: any Communicator) throws
    -> (total: Duration, merge: Duration)
  {
    reducer.beginStep()
    while !reducer.isLastShard { reducer.finishShard() }
    // The gradient has just been written by the backward pass.
    reducer.shardGradient.update(repeating: 1, count: reducer.progress.count)
    let earlier = reducer.timings.merge
    try communicator.barrier()
    let start = ContinuousClock.now
    try reducer.finish()
    try reducer.gatherParameters(reducer.shardGradient)
    return (ContinuousClock.now - start, reducer.timings.merge - earlier)
  }

  private func slowest(_ time: Duration, _ communicator: any Communicator) throws -> Duration {
    let (seconds, attoseconds) = time.components
    let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    return .nanoseconds(try communicator.allReduce(nanoseconds, by: .maximum))
  }

  private func median(_ times: [Duration]) -> Double {
    times.isEmpty ? 0 : times.sorted()[times.count / 2] / .milliseconds(1)
  }
}
