import Autograd
import Collectives
import Tensors
import Testing
import Training

@Suite struct ExactSumTests {
  private static let layout = GradientReducerTests.layout

  private static func squares(on group: any Communicator) throws -> [SegmentSums.Squares] {
    let partition = SlabPartition(count: layout.count, ranks: group.size, bucketBytes: 4096 * 12)
    let sums = SegmentSums(layout, partition, group)
    // Only what the rank owns holds values; the rest must not be read.
    var first = [Float](repeating: .nan, count: layout.count)
    var second = first
    for range in partition.ranges(of: group.rank) {
      for i in range {
        first[i] = GradientReducerTests.gradient(step: 0, shard: 0, element: i)
        second[i] = GradientReducerTests.gradient(step: 1, shard: 0, element: i)
      }
    }
    _ = try sums.squares(of: first)
    return try sums.squares(of: first, second)
  }

  @Test func squaresHaveTheSameBits() throws {
    let alone = try Self.squares(on: SoloCommunicator())
    for ranks in [1, 2, 3, 4, 5, 8] {
      let all = try ThreadCommunicator.run(ranks: ranks) { try Self.squares(on: $0) }
      #expect(all.allSatisfy { $0 == alone }, "\(ranks) ranks")
    }
    for (step, squares) in alone.enumerated() {
      for (entry, sum) in zip(Self.layout.entries, squares.perParameter) {
        let plain = entry.range.reduce(0.0) { sum, i in
          let value = Double(GradientReducerTests.gradient(step: step, shard: 0, element: i))
          return sum + value * value
        }
        // At most 8192 additions of one sign in Double: 8192 eps relative.
        #expect(abs(sum - plain) <= 1e-11 * plain)
      }
      #expect(squares.lastNonFinite == nil)
    }
  }

  @Test func nonFiniteNamesTheParameter() throws {
    var slab = [Float](repeating: 1, count: Self.layout.count)
    let partition = SlabPartition(count: Self.layout.count, ranks: 1)
    let sums = SegmentSums(Self.layout, partition, SoloCommunicator())
    // The largest float squared is finite in Double.
    slab[Self.layout.entries[2].offset] = .greatestFiniteMagnitude
    #expect(try sums.squares(of: slab)[0].lastNonFinite == nil)
    slab[Self.layout.entries[4].range.upperBound - 1] = .infinity
    #expect(try sums.squares(of: slab)[0].lastNonFinite == 4)
    // Gaps belong to no parameter.
    slab[Self.layout.entries[4].range.upperBound - 1] = 0
    slab[Self.layout.entries[4].range.upperBound] = .nan
    #expect(try sums.squares(of: slab)[0].lastNonFinite == nil)
  }

  @Test(arguments: [1, 6, 32])
  func totalsHaveTheSameBits(shards: Int) throws {
    @Sendable func value(_ shard: Int, _ column: Int) -> Double {
      RandomKey(seed: 3, .synthesis, sample: shard).normal(column) * Double(1 << (shard % 20))
    }
    let tree = CanonicalTree(leaves: shards)
    let expected = (0..<2).map { column in tree.sum((0..<shards).map { value($0, column) }) }
    for ranks in [1, 2, 3, 4, 5, 8] where ranks <= shards {
      let all = try ThreadCommunicator.run(ranks: ranks) { group in
        let totals = ShardTotals(virtualShards: shards, width: 2, group)
        let mine = ShardAssignment(even: shards, ranks: group.size).shards(of: group.rank)
        return try (0..<2).map { _ in
          for shard in mine.reversed() { totals.add([value(shard, 0), 0], shard: shard) }
          for shard in mine { totals.add([0, value(shard, 1)], shard: shard) }
          return try totals.total()
        }
      }
      #expect(all.allSatisfy { $0 == [expected, expected] }, "\(ranks) ranks")
    }
  }
}
