import Collectives
import Foundation
import Testing

/// MPI is started once a process, so everything on MPI is one test. Without a launcher it checks
/// the group of one; `launchedRanksConform` runs this very bundle under mpirun. By hand:
///
///     mpirun -n 2 .build/release/vitdistPackageTests.xctest --testing-library swift-testing \
///       --filter MPICommunicatorTests/conforms
@Suite struct MPICommunicatorTests {
  @Test func conforms() throws {
    // Pieces of 100 kB stand for those of 1 GiB: the ring's message goes in four.
    let group = try MPICommunicator.start(pieceBytes: 100_000)
    try Conformance.check(group)
    try checkErrors(group)
    try checkSharing(group)
    let code = ProcessInfo.processInfo.environment["VITDIST_TEST_ABORT"].flatMap { Int32($0) }
    if let code {
      if group.rank == group.size - 1 { group.abort(exitCode: code) }
      try group.barrier()
      sleep(60)
    }
    try group.finalize()
  }

  /// A message that is too long for the memory offered is an error that names the call and the
  /// peer, not the end of the process.
  private func checkErrors(_ group: MPICommunicator) throws {
    let peer = group.size - 1 - group.rank
    if peer == group.rank { return }
    var offered: UInt32 = 0
    var sent: UInt64 = 0
    let error = try withUnsafeMutableBytes(of: &offered) { offered in
      try withUnsafeBytes(of: &sent) { sent in
        let receive = try group.startReceive(offered, from: peer, tag: 3)
        let send = try group.startSend(sent, to: peer, tag: 3)
        defer { try? group.wait([send]) }
        return #expect(throws: CollectiveError.self) { try group.wait([receive]) }
      }
    }
    #expect(error?.rank == group.rank && error?.peer == peer)
    #expect(error?.problem.contains("truncated") == true)
  }

  /// The pages of the node's memory count once: the proportional set sizes of its ranks add up to it.
  private func checkSharing(_ group: MPICommunicator) throws {
    let bytes = 16 << 20
    func proportional() throws -> Int {
      let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Pss:") })
      return 1024 * (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
    }
    try group.barrier()
    let before = try proportional()
    let memory = try group.nodeMemory(bytes: bytes)
    #expect(memory.isShared == (group.localSize > 1))
    if memory.isFiller { memset(memory.pointer, 7, bytes) }
    try memory.publish()
    let sum = (0..<bytes / 4096).reduce(0) {
      $0 + Int(memory.pointer.load(fromByteOffset: 4096 * $1, as: UInt8.self))
    }
    #expect(sum == 7 * (bytes / 4096))
    try group.barrier()
    // A lone rank is the process of all tests, which take memory at the same time.
    guard memory.isShared else { return }
    let growth = try group.allReduce(try proportional() - before, by: .sum)
    #expect(abs(growth - bytes) < bytes / 2, "\(growth) bytes for \(bytes) on \(group.size) ranks")
    try group.barrier()
  }

  private static let canLaunch =
    !Launch().isParallel && FileManager.default.isExecutableFile(atPath: "/usr/bin/mpirun")

  private func launch(_ ranks: Int, _ extra: [String: String] = [:]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/mpirun")
    process.arguments = [
      "--oversubscribe", "--timeout", "60", "-n", "\(ranks)",
      CommandLine.arguments[0].hasSuffix(".xctest")
        ? CommandLine.arguments[0] : ".build/release/vitdistPackageTests.xctest",
      "--testing-library", "swift-testing", "--filter", "MPICommunicatorTests/conforms",
    ]
    let root = ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
    process.environment = ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("OMPI_") && !$0.key.hasPrefix("PMIX_") }
      .merging(root) { $1 }.merging(extra) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test(.enabled(if: canLaunch, "needs mpirun, and not to be under it"), arguments: [2, 5])
  func launchedRanksConform(ranks: Int) throws { #expect(try launch(ranks) == 0) }

  /// `abort` on the last rank gives its code to mpirun, whatever the others do.
  @Test(.enabled(if: canLaunch, "needs mpirun, and not to be under it"), arguments: [75, 77])
  func abortCodeIsTheLaunchersCode(code: Int32) throws {
    #expect(try launch(3, ["VITDIST_TEST_ABORT": "\(code)"]) == code)
  }
}
