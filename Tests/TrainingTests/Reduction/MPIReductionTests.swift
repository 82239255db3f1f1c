import Autograd
import Collectives
import Testing
import Training

/// Needs a launcher, and a process in which no other test starts MPI:
///
///     mpirun -n 2 .build/release/vitdistPackageTests.xctest --testing-library swift-testing \
///       --filter MPIReductionTests
@Suite(.enabled(if: Launch().isParallel, "Launch/test runs this bundle under mpirun, see the file"))
struct MPIReductionTests {
  @Test func theTreeGivesItsBitsOverMPI() throws {
    let group = try MPICommunicator.start()
    for shards in [32, 6] where group.size <= shards {
      let expected = (0..<3).map { GradientReducerTests.expected(shards: shards, step: $0) }
      for bucketBytes in [4096 * 8, 4 << 20] {
        let bits = try GradientReducerTests.reduce(
          on: group, shards: shards, bucketBytes: bucketBytes, hooks: true)
        #expect(bits == expected)
      }
    }
    try group.finalize()
  }
}
