import Autograd
import Collectives

/// What a reduction over some number of ranks takes of memory and traffic, without making one. Of the
/// rank that has most of each.
public struct ReductionFootprint: Sendable, Equatable {
  /// Virtual shards of a rank.
  public let shards: Int
  /// Canonical nodes that a rank's shards make up: each is sent as a slab.
  public let nodes: Int
  /// Whole slabs: the gradients of the shards in work, and the partial sums that wait on the stack.
  public let slabs: Int
  /// Elements that come in from other ranks.
  public let received: Int

  /// - Parameters:
  ///   - count: elements of the slab.
  ///   - ranks: at most `virtualShards`.
  ///   - threads: of each rank.
  public init(count: Int, virtualShards: Int, ranks: Int, threads: Int = 1) {
    let tree = CanonicalTree(leaves: virtualShards)
    let partition = SlabPartition(count: count, ranks: ranks)
    let assignment = ShardAssignment(even: virtualShards, ranks: ranks)
    let shares = (0..<ranks).map { assignment.shards(of: $0) }
    let covers = shares.map { tree.nodes(covering: $0) }
    let all = covers.reduce(0) { $0 + $1.count }
    shards = shares.map(\.count).max() ?? 0
    nodes = covers.map(\.count).max() ?? 0
    slabs = zip(covers, shares).reduce(0) { most, rank in
      let (cover, share) = rank
      let merges = cover.flatMap { CanonicalTree.merges(inside: $0) }
      return max(most, min(threads, share.count) + GradientReducer.depth(merges))
    }
    received = (0..<ranks).reduce(0) { most, rank in
      let owned = partition.ranges(of: rank).reduce(0) { $0 + $1.count }
      return max(most, (all - covers[rank].count) * owned)
    }
  }
}
