import Autograd
import Collectives
import Glibc
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
    var exact: [Duration] = []
    var library: [Duration] = []
    var merge: [Duration] = []
    for repetition in 0..<repetitions + 2 {
      // Turn and turn about also in who goes first.
      let isFirst = repetition % 2 == 0
      let early = isFirst ? nil : try timeLibrary(plain, layout.count, communicator)
      let step = try timeReducer(reducer, communicator)
      let late = isFirst ? try timeLibrary(plain, layout.count, communicator) : nil
      // The first rounds touch memory for the first time.
      if repetition < 2 { continue }
      exact.append(step.exchange)
      merge.append(step.merge)
      if let time = early ?? late { library.append(time) }
    }
    return Result(
      bytes: layout.count * MemoryLayout<Float>.stride, ranks: communicator.size,
      virtualShards: virtualShards, reduceMilliseconds: median(exact),
      allreduceMilliseconds: median(library), mergeMilliseconds: median(merge))
  }

  /// One step's reduction from the ranks' local sums to the gathered slab.
  private func timeReducer(_ reducer: GradientReducer, _ communicator: any Communicator) throws
    -> (exchange: Duration, merge: Duration)
  {
    reducer.beginStep()
    while !reducer.isLastShard { reducer.finishShard() }
    // The gradient has just been written by the backward pass.
    reducer.shardGradient.update(repeating: 1, count: reducer.progress.count)
    let earlier = reducer.timings.merge
    reducer.mergeLastShard()
    let merge = try slowest(reducer.timings.merge - earlier, communicator)
    try settle(communicator)
    let start = ContinuousClock.now
    try reducer.finish()
    try reducer.gatherParameters(reducer.shardGradient)
    return (try slowest(ContinuousClock.now - start, communicator), merge)
  }

  private func timeLibrary(_ slab: Buffer, _ count: Int, _ communicator: any Communicator) throws
    -> Duration
  {
    slab.pointer.update(repeating: 1, count: count)
    try settle(communicator)
    let start = ContinuousClock.now
    try communicator.allReduceSum(UnsafeMutableBufferPointer(start: slab.pointer, count: count))
    return try slowest(ContinuousClock.now - start, communicator)
  }

  /// Brings the ranks together after a pause: on a busy machine a rank that has just computed for
  /// long is the next to lose its core, which would be charged to whatever is timed then.
  private func settle(_ communicator: any Communicator) throws {
    usleep(3000)
    try communicator.barrier()
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
