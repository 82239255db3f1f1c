import Autograd
import Collectives
import Testing
import Training

/// The reducer's order of calls is a promise of the program; breaking it must not go unnoticed.
@Suite struct ReducerMisuseTests {
  private static func reducer() throws -> GradientReducer {
    try GradientReducer(
      layout: GradientReducerTests.layout, virtualShards: 2, communicator: SoloCommunicator())
  }

  @Test func sumReadTooEarly() async {
    await #expect(processExitsWith: .failure) {
      let reducer = try ReducerMisuseTests.reducer()
      reducer.beginStep()
      _ = reducer.summedGradient
    }
  }

  @Test func finishBeforeTheLastShard() async {
    await #expect(processExitsWith: .failure) {
      let reducer = try ReducerMisuseTests.reducer()
      reducer.beginStep()
      try reducer.finish()
    }
  }

  @Test func lastShardIsNotFinishedAsAnyOther() async {
    await #expect(processExitsWith: .failure) {
      let reducer = try ReducerMisuseTests.reducer()
      reducer.beginStep()
      reducer.finishShard()
      reducer.finishShard()
    }
  }

  @Test func readyTwice() async {
    await #expect(processExitsWith: .failure) {
      let reducer = try ReducerMisuseTests.reducer()
      reducer.beginStep()
      reducer.finishShard()
      let all = 0..<GradientReducerTests.layout.count
      try reducer.ready(all)
      try reducer.ready(all)
    }
  }

  /// The same calls in order end well, so that the tests above fail for their reason only.
  @Test func inOrder() async {
    await #expect(processExitsWith: .success) {
      let reducer = try ReducerMisuseTests.reducer()
      reducer.beginStep()
      reducer.finishShard()
      try reducer.ready(0..<GradientReducerTests.layout.count)
      try reducer.finish()
      _ = reducer.summedGradient
    }
  }
}
