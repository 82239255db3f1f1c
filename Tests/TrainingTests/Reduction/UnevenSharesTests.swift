import Collectives
import Tensors
import Testing
import Training

/// Ranks may have any contiguous shares of the virtual shards: the bits are those of one rank.
@Suite struct UnevenSharesTests {
  @Test(arguments: [
    [31, 1], [1, 31], [19, 13], [1, 1, 30], [5, 16, 11], [3, 9, 1, 19], [7, 7, 7, 7, 4],
  ])
  func sameBits(counts: [Int]) throws {
    let expected = [0, 1].map { GradientReducerTests.expected(shards: 32, step: $0) }
    let all = try ThreadCommunicator.run(ranks: counts.count) { group in
      try Self.reduce(on: group, ShardAssignment(counts: counts))
    }
    let agree = all.allSatisfy { $0 == expected }
    #expect(agree)
  }

  private static func reduce(on group: any Communicator, _ assignment: ShardAssignment) throws
    -> [[UInt32]]
  {
    let layout = GradientReducerTests.layout
    let reducer = try GradientReducer(
      layout: layout, virtualShards: 32, communicator: group, assignment: assignment,
      bucketBytes: 4096 * 8)
    var values = [Float](repeating: .nan, count: layout.count)
    return try (0..<2).map { step in
      reducer.beginStep()
      for shard in reducer.localShards {
        GradientReducerTests.fill(reducer.shardGradient, step: step, shard: shard)
        if !reducer.isLastShard { reducer.finishShard() }
      }
      for entry in layout.entries.reversed() { try reducer.ready(entry.range) }
      try reducer.finish()
      for range in reducer.ownedRanges {
        for i in range { values[i] = reducer.summedGradient[i] }
      }
      try values.withUnsafeMutableBufferPointer { try reducer.gatherParameters($0.baseAddress!) }
      return values.map(\.bitPattern)
    }
  }

  /// Wherever it lies and whoever has it, a number that is not finite is traced to its shard.
  @Test(arguments: [(1, 1), (2, 1), (3, 1), (5, 1), (8, 1), (1, 2), (1, 3), (2, 3), (3, 2)])
  func theShardThatIsNotFiniteIsNamed(ranks: Int, threads: Int) throws {
    let layout = GradientReducerTests.layout
    for entry in [layout.entries[0], layout.entries[3], layout.entries[7]] {
      for (spoilt, value) in [(0, Float.nan), (3, .infinity), (5, -.infinity), (7, .nan)] {
        let named = try ThreadCommunicator.run(ranks: ranks) { group in
          let team = ThreadTeam(threads, pool: BufferPool())
          let reducer = try GradientReducer(
            layout: layout, virtualShards: 8, communicator: group, threads: threads,
            bucketBytes: 4096 * 8)
          reducer.beginStep()
          var isLast = false
          while !isLast {
            isLast = reducer.isLastTurn
            for shard in reducer.currentShards {
              let gradient = reducer.gradient(of: shard)
              gradient[7] += Float(shard)
              if shard == spoilt { gradient[entry.range.upperBound - 1] = value }
            }
            try reducer.finishTurn(team)
          }
          try reducer.finish()
          return try group.allGather(reducer.nonFiniteShards())
        }
        #expect(named.allSatisfy { $0 == [spoilt] }, "\(entry.name), \(spoilt): \(named)")
      }
    }
  }
}
