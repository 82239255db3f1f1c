import Collectives

/// Where a step's numbers stopped being finite; the same on all ranks.
public struct NonFiniteFinding: Sendable, Equatable {
  /// The parameter whose gradient was reached first: the backward pass goes through them from the last
  /// to the first. Empty if it is the loss already.
  public let tensor: String
  /// The first virtual shard with such a number; -1 if every shard was finite and the sum was not.
  public let shard: Int
  /// The rank that has the shard; -1 with `shard`.
  public let rank: Int
  /// Its name with its host.
  let rankName: String

  /// `the gradient of head.weight in virtual shard 17, on rank 1 (node7),`
  public var text: String {
    let what = tensor.isEmpty ? "the loss" : "the gradient of \(tensor)"
    return shard < 0
      ? "\(what), summed over all shards," : "\(what) in virtual shard \(shard), on \(rankName),"
  }
}

extension TrainingStep {
  /// What is not finite in the reduced step, if anything. Costs nothing as long as there is nothing.
  func nonFinite(loss: Double, _ gradient: SegmentSums.Squares) throws -> NonFiniteFinding? {
    let last = gradient.lastNonFinite
    guard !loss.isFinite || last != nil else { return nil }
    var tensor = ""
    var shards: [Int] = []
    if loss.isFinite, let last {
      tensor = network.parameters.layout.entries[last].name
      shards = try communicator.allGather(reducer.nonFiniteShards())
    } else {
      shards = totals.firstNonFinite.map { [$0] } ?? []
    }
    let shard = shards.min() ?? -1
    let rank = shard < 0 ? -1 : reducer.assignment.rank(of: shard)
    return NonFiniteFinding(
      tensor: tensor, shard: shard, rank: rank, rankName: try RankNames(communicator)[rank])
  }
}
