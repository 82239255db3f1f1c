import Autograd
import Collectives
import Tensors

/// Sums the gradients of all virtual shards in the order of the canonical tree, so that the sum has
/// the same bits on any number of ranks, and hands each rank the slices that it owns.
///
/// One step, on every rank:
///
///     reducer.beginStep()
///     for shard in reducer.localShards {
///       // ... add the shard's gradient into reducer.shardGradient ...
///       // in the last shard call reducer.ready(range) as ranges become final
///       if !reducer.isLastShard { reducer.finishShard() }
///     }
///     try reducer.finish()
///     // ... update the weights on reducer.ownedRanges from reducer.summedGradient ...
///     try reducer.gatherParameters(weights)
///
/// Inside a rank finished subtrees wait in a binary-counter stack of slabs; across ranks the sums of
/// the rank's nodes go straight to the owner of each slice, bucket by bucket, while the backward
/// pass of the last shard still runs. Memory: 1 + log2(V/P) slabs, and what the rank receives; one more
/// slab for every thread beyond the first.
public final class GradientReducer {
  enum State: Equatable {
    case idle
    /// Shards finished so far in this step.
    case accumulating(Int)
    case reduced
  }

  public let partition: SlabPartition
  public let assignment: ShardAssignment
  /// The virtual shards that this rank computes, in order.
  public let localShards: Range<Int>
  /// The elements of the slab that this rank owns, ascending.
  public let ownedRanges: [Range<Int>]
  public internal(set) var timings = Timings()

  /// Memory for gradients and sums, in bytes.
  package let bytesAllocated: Int
  /// Whole slabs of these.
  package var slabCount: Int { slabs.count + pending.count }
  /// For sums that other ranks send, in bytes.
  package var bytesReceived: Int { exchange.inboxCount * MemoryLayout<Float>.stride }

  let communicator: any Communicator
  /// One for each shard that is computed at the same time.
  let slabs: [Buffer]
  let pending: [Buffer]
  let merges: [Int]
  let finisher: TreeFinish
  let exchange: ReductionExchange
  let marks: Marks
  var state = State.idle
  var depth = 0
  var progress: BucketProgress
  var started = BucketQueue()
  /// Whether the last shard has been added to the stack ahead of its exchange.
  var isMerged = false
  /// Of this step, the shards but the last whose gradients are not finite.
  var nonFinite: [Int] = []
  /// As far as its addition to the stack has shown.
  var isLastFinite = true

  /// Throws `CollectiveError` if there are more ranks than virtual shards.
  ///
  /// - Parameters:
  ///   - assignment: which rank has which shards; even shares by default.
  ///   - threads: shards that are computed at the same time, if this rank has so many; see `finishTurn`.
  ///   - marks: where this rank notes the bucket it waits for.
  public init(
    layout: ParameterLayout, virtualShards: Int, communicator: any Communicator,
    assignment: ShardAssignment? = nil, threads: Int = 1, bucketBytes: Int = 4 << 20,
    marks: Marks = .none
  ) throws {
    let ranks = communicator.size
    guard ranks <= virtualShards else {
      throw CollectiveError(
        "start", rank: communicator.rank,
        "\(ranks) ranks for \(virtualShards) virtual shards leave ranks without work",
        remedy: "Raise batch.virtualShards or start at most \(virtualShards) ranks")
    }
    let tree = CanonicalTree(leaves: virtualShards)
    let assignment = assignment ?? ShardAssignment(even: virtualShards, ranks: ranks)
    let pool = BufferPool()
    self.communicator = communicator
    self.assignment = assignment
    self.marks = marks
    partition = SlabPartition(count: layout.count, ranks: ranks, bucketBytes: bucketBytes)
    ownedRanges = partition.ranges(of: communicator.rank)
    localShards = assignment.shards(of: communicator.rank)
    merges = tree.nodes(covering: localShards).flatMap { CanonicalTree.merges(inside: $0) }
    slabs = (0..<min(threads, localShards.count)).map { _ in
      let slab = pool.take(layout.count)
      slab.pointer.update(repeating: 0, count: layout.count)
      return slab
    }
    pending = (0..<Self.depth(merges)).map { _ in pool.take(layout.count) }
    finisher = TreeFinish(assignment, pool: pool)
    exchange = ReductionExchange(partition, finisher.owners, communicator, pool)
    progress = BucketProgress(layout, partition)
    bytesAllocated = pool.statistics.bytesAllocated
  }

  deinit { finisher.deallocate() }

  /// Most entries on the stack before the last shard, whose sum stays where it is.
  static func depth(_ merges: [Int]) -> Int {
    var depth = 0
    var most = 0
    for count in merges.dropLast() {
      depth += 1 - count
      most = max(most, depth)
    }
    return most
  }

  /// Where the last shard of a turn adds its gradient, and the sum of the step comes to lie.
  var slab: Buffer { slabs[0] }

  /// First element of the slab into which the current shard adds its gradient; zero when a shard
  /// begins. The same memory for the reducer's whole life. Of a reducer for one thread.
  public var shardGradient: UnsafeMutablePointer<Float> { slab.pointer }

  /// The gradient summed over all shards; defined on `ownedRanges` only, until the next step begins.
  public var summedGradient: UnsafePointer<Float> {
    precondition(state == .reduced, "the gradient was read before the reduction finished")
    return UnsafePointer(slab.pointer)
  }

  /// Whether the shard being accumulated is this rank's last of the step.
  public var isLastShard: Bool { state == .accumulating(localShards.count - 1) }

  /// Starts a step, also after one whose sum was not used.
  public func beginStep() {
    if case .accumulating = state {
      preconditionFailure("a step began before the last one finished")
    }
    timings = Timings()
    // After the first step the slab holds the last step's sums.
    if state == .reduced { slab.pointer.update(repeating: 0, count: progress.count) }
    state = .accumulating(0)
    depth = 0
    progress.reset()
    started.reset()
    isMerged = false
    nonFinite.removeAll(keepingCapacity: true)
    isLastFinite = true
  }
}

extension GradientReducer {
  /// Where the time of the last step went.
  public struct Timings: Sendable {
    /// Adding shards inside the rank.
    public var merge = Duration.zero
    /// Starting transfers, waiting for them, and adding what came in.
    public var exchange = Duration.zero
    /// The all-gather of the weights.
    public var gather = Duration.zero
  }
}
