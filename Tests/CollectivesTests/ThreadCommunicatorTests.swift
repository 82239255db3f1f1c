import Collectives
import Testing

@Suite struct ThreadCommunicatorTests {
  @Test func aloneConforms() throws { try Conformance.check(SoloCommunicator()) }

  @Test(arguments: [1, 2, 3, 5, 8])
  func threadsConform(ranks: Int) throws {
    let ran = try ThreadCommunicator.run(ranks: ranks) { group in
      try Conformance.check(group)
      return group.rank
    }
    #expect(ran == Array(0..<ranks))
  }

  private struct Cause: Error, Equatable {}

  /// A rank that throws releases the others, and its error is the one reported.
  @Test func failureReleasesOthers() {
    #expect(throws: Cause()) {
      try ThreadCommunicator.run(ranks: 4) { group in
        if group.rank == 2 { throw Cause() }
        try group.barrier()
      }
    }
    #expect(throws: Cause()) {
      try ThreadCommunicator.run(ranks: 2) { group in
        if group.rank == 0 { throw Cause() }
        var byte: UInt8 = 0
        try withUnsafeMutableBytes(of: &byte) {
          try group.wait([try group.startReceive($0, from: 0, tag: 1)])
        }
      }
    }
  }

  @Test func abortReleasesOthers() {
    let error = #expect(throws: CollectiveError.self) {
      try ThreadCommunicator.run(ranks: 3) { group in
        if group.rank == 1 { group.abort(exitCode: 77) }
        try group.barrier()
      }
    }
    #expect(error?.peer == 1)
    #expect(error?.problem.contains("exit code 77") == true)
  }

  @Test func lengthsMustMatch() {
    let error = #expect(throws: CollectiveError.self) {
      try ThreadCommunicator.run(ranks: 2) { group in
        var bytes: [UInt8] = [1, 2, 3]
        try bytes.withUnsafeMutableBytes { bytes in
          let transfer =
            group.rank == 0
            ? try group.startSend(UnsafeRawBufferPointer(bytes), to: 1, tag: 4)
            : try group.startReceive(
              UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(2)), from: 0, tag: 4)
          try group.wait([transfer])
        }
      }
    }
    #expect(error?.problem.contains("3 bytes sent, 2 expected under tag 4") == true)
  }
}
