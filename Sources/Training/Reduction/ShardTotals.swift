import Collectives

/// Sums of a few numbers a virtual shard (loss, counts of hits) over all shards, added by the
/// canonical tree, so that they have the same bits on any number of ranks.
public final class ShardTotals {
  private let tree: CanonicalTree
  private let communicator: any Communicator
  private let localShards: Range<Int>
  private let counts: [Int]
  private let width: Int
  private var mine: [Double]
  private var all: [Double]
  private var isRecorded: [Bool]

  /// - Parameters:
  ///   - width: numbers a shard.
  ///   - assignment: which rank has which shards; even shares by default.
  public init(
    virtualShards: Int, width: Int, _ communicator: any Communicator,
    assignment: ShardAssignment? = nil
  ) {
    tree = CanonicalTree(leaves: virtualShards)
    self.communicator = communicator
    self.width = width
    let ranks = communicator.size
    let assignment = assignment ?? ShardAssignment(even: virtualShards, ranks: ranks)
    localShards = assignment.shards(of: communicator.rank)
    counts = assignment.counts.map { $0 * width * MemoryLayout<Double>.stride }
    mine = Array(repeating: 0, count: localShards.count * width)
    all = Array(repeating: 0, count: virtualShards * width)
    isRecorded = Array(repeating: false, count: localShards.count)
  }

  /// Adds to the numbers of one of this rank's shards; micro-batches may add several times.
  public func add(_ values: [Double], shard: Int) {
    precondition(values.count == width, "\(values.count) numbers where \(width) are summed")
    precondition(localShards.contains(shard), "shard \(shard) is not in \(localShards)")
    let row = shard - localShards.lowerBound
    isRecorded[row] = true
    for i in 0..<width { mine[row * width + i] += values[i] }
  }

  /// The sums over all shards, on all ranks; begins anew afterwards. Every shard must have added.
  public func total() throws -> [Double] {
    precondition(isRecorded.allSatisfy { $0 }, "a shard of \(localShards) has added nothing")
    try all.withUnsafeMutableBytes { all in
      try mine.withUnsafeBytes { try communicator.allGather($0, into: all, counts: counts) }
    }
    for i in mine.indices { mine[i] = 0 }
    for i in isRecorded.indices { isRecorded[i] = false }
    return (0..<width).map { column in
      tree.sum((0..<tree.leaves).map { all[$0 * width + column] })
    }
  }

  /// The first shard of the last total with a number that is not finite in its first column.
  public var firstNonFinite: Int? {
    (0..<tree.leaves).first { !all[$0 * width].isFinite }
  }
}
