import Collectives
import Testing

@Suite struct ShardAssignmentTests {
  @Test(arguments: [(32, 1), (32, 5), (7, 7), (96, 32), (13, 4)])
  func evenSharesCoverAllShardsInOrder(shards: Int, ranks: Int) {
    let assignment = ShardAssignment(even: shards, ranks: ranks)
    #expect((0..<ranks).flatMap { Array(assignment.shards(of: $0)) } == Array(0..<shards))
    let counts = assignment.counts
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1 && counts.allSatisfy { $0 > 0 })
    for shard in 0..<shards {
      #expect(assignment.shards(of: assignment.rank(of: shard)).contains(shard))
    }
  }

  @Test func givenCountsAreKept() {
    let assignment = ShardAssignment(counts: [20, 1, 11])
    #expect(assignment.shards == 32 && assignment.ranks == 3)
    #expect(assignment.shards(of: 1) == 20..<21 && assignment.counts == [20, 1, 11])
  }

  /// No other way to deal the shards ends sooner.
  @Test(arguments: [[1.0, 1, 1], [1, 2, 1], [1, 1, 0.5], [10, 1, 0.01], [3, 1.7, 2.2]])
  func bySpeedIsTheBest(speeds: [Double]) {
    let best = ShardAssignment(shards: 16, speeds: speeds)
    #expect(best.counts.reduce(0, +) == 16 && best.counts.allSatisfy { $0 > 0 })
    for a in 1...14 {
      for b in 1..<(16 - a) {
        let other = ShardAssignment(counts: [a, b, 16 - a - b])
        #expect(best.seconds(at: speeds) <= other.seconds(at: speeds), "\(other.counts)")
      }
    }
  }
}
