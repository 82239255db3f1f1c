import Autograd
import Collectives
import Testing
import Training

/// Needs a launcher, and a process in which no other test starts MPI:
///
///     mpirun -n 2 .build/release/vitdistPackageTests.xctest --testing-library swift-testing \
///       --filter MPIReductionTests
@Suite(.enabled(if: Launch().isParallel, "run this bundle under mpirun, see the file"))
struct MPIReductionTests {
  @Test func sameBitsAndSpeed() throws {
    let group = try MPICommunicator.start()
    for shards in [32, 6] where group.size <= shards {
      let expected = (0..<3).map { GradientReducerTests.expected(shards: shards, step: $0) }
      for bucketBytes in [4096 * 8, 4 << 20] {
        let bits = try GradientReducerTests.reduce(
          on: group, shards: shards, bucketBytes: bucketBytes, hooks: true)
        #expect(bits == expected)
      }
    }
    for shards in [group.size, 32] where group.size <= 4 {
      for count in [5_767_168, 1 << 20] {
        let result = try ReductionBenchmark(count: count, virtualShards: shards).run(on: group)
        if group.isRoot { print(result) }
      }
    }
    try group.barrier()
    if group.isRoot {
      let count = 5_767_168
      var layout = ParameterLayout()
      layout.append("slab", [5_767_168])
      let slab = [Float](repeating: 1, count: count)
      let sums = SegmentSums(layout, SlabPartition(count: count, ranks: 1), SoloCommunicator())
      let start = ContinuousClock.now
      for _ in 0..<10 { _ = try sums.squares(of: slab) }
      print("squares of 22 MiB", (ContinuousClock.now - start) / 10)
    }
    try group.finalize()
  }
}
