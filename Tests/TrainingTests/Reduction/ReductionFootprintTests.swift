import Autograd
import Collectives
import Testing
import Training

@Suite struct ReductionFootprintTests {
  private static let layout: ParameterLayout = {
    var layout = ParameterLayout()
    layout.append("slab", [1 << 18])
    return layout
  }()

  /// What is foretold is what a reducer takes. The pool rounds blocks up by an eighth at most; the
  /// tree's scratch memory, some chunks of 4 KiB, is not in the footprint.
  @Test(arguments: [1, 2, 3, 4, 5, 8, 32], [1, 2, 3])
  func memoryIsThatOfAReducer(_ ranks: Int, _ threads: Int) throws {
    let layout = Self.layout
    let shards = 32
    let footprint = ReductionFootprint(
      count: layout.count, virtualShards: shards, ranks: ranks, threads: threads)
    let taken = try ThreadCommunicator.run(ranks: ranks) { group in
      let reducer = try GradientReducer(
        layout: layout, virtualShards: shards, communicator: group, threads: threads)
      return (bytes: reducer.bytesAllocated, shards: reducer.localShards.count)
    }
    #expect(taken.map(\.shards).max() == footprint.shards)
    let most = try #require(taken.map(\.bytes).max())
    let foretold = 4 * (footprint.slabs * layout.count + footprint.received)
    let scratch = 4 * 1024 * 100
    #expect(most >= foretold - 4 * layout.count / 2 && most <= foretold * 9 / 8 + scratch)
  }

  @Test func powersOfTwoSendLeast() {
    let footprints = (1...32).map {
      ReductionFootprint(count: 1 << 18, virtualShards: 32, ranks: $0)
    }
    for power in [1, 2, 4, 8, 16, 32] { #expect(footprints[power - 1].nodes == 1) }
    for other in [3, 5, 6, 7, 12] { #expect(footprints[other - 1].nodes > 1) }
    #expect(footprints[0].received == 0 && footprints[0].slabs == 6)
    #expect(footprints[31].slabs == 1)
  }
}
