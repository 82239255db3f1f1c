import Configuration
import Datasets
import Testing

@Suite struct SampleOrderTests {
  @Test func permutationHasTheGoldenValues() {
    func list(_ count: Int) -> [Int] {
      let permutation = FeistelPermutation(count: count, seed: 42, cycle: 0)
      return (0..<count).map { permutation($0) }
    }
    #expect(list(10) == [5, 6, 4, 2, 1, 0, 3, 7, 9, 8])
    #expect(list(12) == [11, 6, 4, 2, 1, 0, 3, 7, 9, 10, 8, 5])
    let large = list(50_000)
    #expect(large.prefix(5) == [28785, 13571, 22930, 32062, 36834])
    #expect(large.suffix(3) == [42495, 12975, 706])
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 64, 65, 1000, 4097])
  func everyElementStandsOnceAndIsFound(_ count: Int) {
    for cycle in 0..<3 {
      let permutation = FeistelPermutation(count: count, seed: 9, cycle: cycle)
      let all = (0..<count).map { permutation($0) }
      #expect(all.sorted() == Array(0..<count))
      for (position, element) in all.enumerated() {
        #expect(permutation.position(of: element) == position)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5], [1, 7, 12, 100])
  func repetitionsCoverTheCycle(_ repeats: Int, _ count: Int) {
    let order = SampleOrder(count: count, seed: 3, repeats: repeats)
    var seen: [SampleVisit: Int] = [:]
    for epoch in repeats..<(2 * repeats) {
      let visits = order.visits(epoch: epoch, 0..<count)
      #expect(visits.count == count)
      for (slot, visit) in visits.enumerated() {
        seen[visit, default: 0] += 1
        #expect(order.slot(epoch: epoch, of: visit) == slot)
      }
    }
    #expect(seen.count == count * repeats && seen.values.allSatisfy { $0 == 1 })
    #expect(seen.keys.allSatisfy { $0.repetition < repeats && $0.sample < count })
  }

  @Test func repetitionsFollowEachOther() {
    let visits = SampleOrder(count: 12, seed: 42, repeats: 3).visits(epoch: 0, 0..<12)
    let entries = [11, 6, 4, 2].flatMap { [$0, $0, $0] }
    #expect(visits.map(\.sample) == entries)
    #expect(visits.map(\.repetition) == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
  }

  @Test(arguments: [1, 2, 5, 16, 33, 100, 257], [(4, 1), (8, 4), (32, 32), (96, 32), (256, 8)])
  func everySlotIsInOneShard(_ count: Int, _ cut: (batch: Int, shards: Int)) throws {
    let plan = try BatchPlan(
      sampleCount: count, batchSize: cut.batch, virtualShards: cut.shards)
    var slots: [Int] = []
    for step in 0..<plan.stepsPerEpoch {
      let sizes = (0..<cut.shards).map { plan.slots(step: step, shard: $0).count }
      #expect(sizes.max()! - sizes.min()! <= 1)
      #expect(sizes.reduce(0, +) == plan.samples(inStep: step))
      if step < plan.stepsPerEpoch - 1 { #expect(sizes.allSatisfy { $0 == plan.shardSize }) }
      for shard in 0..<cut.shards { slots += plan.slots(step: step, shard: shard) }
    }
    #expect(slots == Array(0..<count))
  }

  @Test func batchesThatDoNotFitAreRefused() throws {
    #expect(throws: ConfigurationError.self) {
      try BatchPlan(sampleCount: 10, batchSize: 10, virtualShards: 4)
    }
    #expect(throws: ConfigurationError.self) {
      try BatchPlan(sampleCount: 0, batchSize: 4, virtualShards: 4)
    }
    let odd = try BatchPlan(sampleCount: 100, batchSize: 96, virtualShards: 32)
    try odd.checkMixing(AugmentationOptions())
    let error = #expect(throws: ConfigurationError.self) { try odd.checkMixing(.deit) }
    #expect(error?.description.contains("multiple of 64") == true)
  }
}
