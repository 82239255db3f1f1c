import Autograd
import Collectives
import Synchronization
import Tensors
import Testing
import Training

@Suite struct GradientReducerTests {
  /// Parameters of odd sizes, so that there are gaps, segments and a padded tail: seven blocks.
  static let layout: ParameterLayout = {
    var layout = ParameterLayout()
    for (i, count) in [1, 5000, 17, 8192, 333, 4096, 7000, 3].enumerated() {
      layout.append("p\(i)", Shape([count]))
    }
    return layout
  }()

  /// Wildly scaled values: any other order of addition would show.
  static func gradient(step: Int, shard: Int, element: Int) -> Float {
    let key = RandomKey(seed: 7, .synthesis, epoch: step, sample: shard)
    return (key.uniformFloat(element) - 0.5) * Float(1 << (key.bits(element) & 15))
  }

  static func fill(_ slab: UnsafeMutablePointer<Float>, step: Int, shard: Int) {
    for entry in layout.entries {
      for i in entry.range { slab[i] += gradient(step: step, shard: shard, element: i) }
    }
  }

  /// Bits of the summed slab of each step, gathered on every rank.
  static func reduce(
    on group: any Communicator, shards: Int, threads: Int = 1, bucketBytes: Int, hooks: Bool
  ) throws -> [[UInt32]] {
    let team = ThreadTeam(threads, pool: BufferPool())
    let reducer = try GradientReducer(
      layout: layout, virtualShards: shards, communicator: group, threads: threads,
      bucketBytes: bucketBytes)
    var values = [Float](repeating: .nan, count: layout.count)
    return try (0..<3).map { step in
      reducer.beginStep()
      var isLast = false
      while !isLast {
        isLast = reducer.isLastTurn
        let turn = Array(reducer.currentShards)
        _ = try team.map(turn) { _, shard, _ in
          fill(reducer.gradient(of: shard), step: step, shard: shard)
        }
        try reducer.finishTurn(team)
      }
      if hooks {
        // Backward order, but for one parameter that comes early and one that never comes.
        let order = [4, 7, 6, 5, 3, 1, 0]
        for i in order { try reducer.ready(layout.entries[i].range) }
      }
      try reducer.finish()
      for range in reducer.ownedRanges {
        for i in range { values[i] = reducer.summedGradient[i] }
      }
      try values.withUnsafeMutableBufferPointer { try reducer.gatherParameters($0.baseAddress!) }
      return values.map(\.bitPattern)
    }
  }

  /// The canonical tree, spelt out.
  static func expected(shards: Int, step: Int) -> [UInt32] {
    func sum(_ node: Range<Int>, _ element: Int) -> Float {
      guard let (left, right) = CanonicalTree.children(of: node) else {
        return gradient(step: step, shard: node.lowerBound, element: element)
      }
      return sum(left, element) + sum(right, element)
    }
    var result = [UInt32](repeating: 0, count: layout.count)
    for entry in layout.entries {
      for i in entry.range { result[i] = sum(0..<shards, i).bitPattern }
    }
    return result
  }

  @Test(arguments: [32, 6, 1, 7, 13])
  func sameBitsOnAnyNumberOfRanks(shards: Int) throws {
    let expected = (0..<3).map { Self.expected(shards: shards, step: $0) }
    for ranks in [1, 2, 3, 4, 5, 8] where ranks <= shards {
      for (bucketBytes, hooks) in [(4 << 20, false), (4 << 20, true), (4096 * 8, true), (1, true)] {
        let all = try ThreadCommunicator.run(ranks: ranks) { group in
          try Self.reduce(on: group, shards: shards, bucketBytes: bucketBytes, hooks: hooks)
        }
        let agree = all.allSatisfy { $0 == expected }
        #expect(agree, "\(ranks) ranks, buckets of \(bucketBytes) bytes")
      }
    }
    let alone = try Self.reduce(
      on: SoloCommunicator(), shards: shards, bucketBytes: 4096 * 4, hooks: true)
    #expect(alone == expected)
  }

  /// Turns of every length, the last of the step among them.
  @Test(arguments: [(32, 2), (32, 3), (6, 4), (1, 2), (7, 7), (13, 5)])
  func sameBitsOnAnyNumberOfThreads(shards: Int, threads: Int) throws {
    let expected = (0..<3).map { Self.expected(shards: shards, step: $0) }
    for ranks in [1, 2, 3] where ranks <= shards {
      for hooks in [false, true] {
        let all = try ThreadCommunicator.run(ranks: ranks) { group in
          try Self.reduce(
            on: group, shards: shards, threads: threads, bucketBytes: 4096 * 8, hooks: hooks)
        }
        let agree = all.allSatisfy { $0 == expected }
        #expect(agree, "\(ranks) ranks of \(threads) threads")
      }
    }
  }

  /// A step whose sum was not used (policy `skip`) leaves nothing behind for the next.
  @Test func unusedStepLeavesNothing() throws {
    let reducer = try GradientReducer(
      layout: Self.layout, virtualShards: 2, communicator: SoloCommunicator())
    for step in 0..<2 {
      reducer.beginStep()
      for shard in 0..<2 {
        Self.fill(reducer.shardGradient, step: step, shard: shard)
        if shard == 0 { reducer.finishShard() }
      }
      try reducer.finish()
    }
    let bits = (0..<Self.layout.count).map { reducer.summedGradient[$0].bitPattern }
    #expect(bits == Self.expected(shards: 2, step: 1))
  }

  @Test func moreRanksThanShardsAreRefused() {
    let error = #expect(throws: CollectiveError.self) {
      try ThreadCommunicator.run(ranks: 3) { group in
        _ = try GradientReducer(layout: Self.layout, virtualShards: 2, communicator: group)
      }
    }
    #expect(error?.problem.contains("3 ranks for 2 virtual shards") == true)
  }

  /// Every element has one owner, in whole blocks, for any number of ranks.
  @Test func partitionCoversTheSlab() {
    for blocks in [1, 2, 7, 300, 1500] {
      for ranks in [1, 2, 3, 5, 8, 32] {
        let partition = SlabPartition(count: blocks * 4096, ranks: ranks)
        let ranges = (0..<ranks).flatMap { partition.ranges(of: $0) }
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        #expect(sorted.first?.lowerBound == 0 && sorted.last?.upperBound == blocks * 4096)
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(ranges.allSatisfy { $0.lowerBound % 4096 == 0 && $0.upperBound % 4096 == 0 })
        #expect(partition.buckets.first?.upperBound == blocks * 4096)
      }
    }
  }
}
