/// Which virtual shards each rank computes: one range a rank, in rank order, none empty.
///
/// The sum over the canonical tree does not depend on it, so ranks may have shards by their speed and
/// the bits stay the same.
public struct ShardAssignment: Sendable, Equatable {
  public let shards: Int
  /// First shard of every rank, and the end.
  private let bounds: [Int]

  /// Shards as even as they go: rank r has [rV/P, (r+1)V/P). P need not divide V.
  public init(even shards: Int, ranks: Int) {
    precondition((1...shards).contains(ranks), "\(ranks) ranks for \(shards) shards")
    self.shards = shards
    bounds = (0...ranks).map { $0 * shards / ranks }
  }

  /// - Parameter counts: shards of every rank, each at least one.
  public init(counts: [Int]) {
    precondition(!counts.isEmpty && counts.allSatisfy { $0 > 0 }, "shards per rank \(counts)")
    bounds = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    shards = bounds[counts.count]
  }

  /// Shards by speed: the assignment whose slowest rank is done first.
  ///
  /// - Parameter speeds: shards a second of every rank, positive.
  public init(shards: Int, speeds: [Double]) {
    precondition((1...shards).contains(speeds.count), "\(speeds.count) ranks for \(shards) shards")
    precondition(speeds.allSatisfy { $0 > 0 }, "speeds \(speeds)")
    var counts = [Int](repeating: 1, count: speeds.count)
    for _ in speeds.count..<shards {
      // The next shard goes where it would be done first; of equals to the first rank.
      var best = 0
      for rank in counts.indices.dropFirst()
      where Double(counts[rank] + 1) / speeds[rank] < Double(counts[best] + 1) / speeds[best] {
        best = rank
      }
      counts[best] += 1
    }
    self.init(counts: counts)
  }

  public var ranks: Int { bounds.count - 1 }

  public var counts: [Int] { (0..<ranks).map { shards(of: $0).count } }

  /// The shards of a rank.
  public func shards(of rank: Int) -> Range<Int> { bounds[rank]..<bounds[rank + 1] }

  /// The rank that has a shard.
  public func rank(of shard: Int) -> Int {
    precondition((0..<shards).contains(shard), "shard \(shard) of \(shards)")
    return (0..<ranks).first { shard < bounds[$0 + 1] } ?? 0
  }

  /// Seconds until the slowest rank is done, at these speeds in shards a second.
  public func seconds(at speeds: [Double]) -> Double {
    zip(counts, speeds).map { Double($0) / $1 }.max() ?? 0
  }
}
