import Checkpoints
import Collectives
import Foundation
import Tensors
import Testing

/// A process that saves without end is killed at arbitrary moments. Whatever it had reported as
/// saved is found, complete and right.
@Suite struct KillTests {
  private static let folderVariable = "VITDIST_TEST_SAVE_LOOP"
  private static let folder = ProcessInfo.processInfo.environment[folderVariable]

  /// The victim: this bundle, started by `killedAtAnyMoment` with a folder in the environment.
  @Test(.enabled(if: folder != nil, "started by killedAtAnyMoment only"))
  func victim() throws {
    let group = SoloCommunicator()
    let store = try CheckpointStore(try #require(Self.folder), communicator: group)
    var step = try store.newest()?.step ?? 0
    while true {
      step += 1
      try Sample.save(store, group, step: step, version: step)
      FileHandle.standardError.write(Data("saved \(step)\n".utf8))
    }
  }

  @Test(.enabled(if: folder == nil)) func killedAtAnyMoment() throws {
    try Sample.withFolder { folder in
      var last = 0
      for round in 0..<12 {
        let (process, output) = try start(folder)
        defer { process.terminate() }
        // Waits for one report, so that every round gets into the loop, then for a random moment.
        last = max(last, try Self.read(output))
        usleep(UInt32(RandomKey(seed: 5, .synthesis).below(40_000, round)))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        last = max(last, try Self.read(output))
        let store = try CheckpointStore(folder, communicator: SoloCommunicator(), access: .reading)
        let manifest = try #require(try store.newest())
        #expect(manifest.step >= last && store.skipped.isEmpty, "round \(round)")
        #expect(
          try Sample.loads(manifest, store, SoloCommunicator(), version: manifest.step))
      }
      #expect(last > 12)
    }
  }

  private func start(_ folder: String) throws -> (Process, FileHandle) {
    let process = Process()
    let pipe = Pipe()
    let program = CommandLine.arguments[0]
    process.executableURL = URL(
      filePath: program.hasSuffix(".xctest")
        ? program : ".build/release/vitdistPackageTests.xctest")
    process.arguments = ["--testing-library", "swift-testing", "--filter", "KillTests/victim"]
    process.environment = ProcessInfo.processInfo.environment
      .merging([Self.folderVariable: folder]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    try process.run()
    return (process, pipe.fileHandleForReading)
  }

  /// The newest step reported in what the victim has written since the last call.
  private static func read(_ handle: FileHandle) throws -> Int {
    var text = ""
    while !text.contains("saved") {
      let data = handle.availableData
      if data.isEmpty { break }
      text += String(decoding: data, as: UTF8.self)
    }
    let steps = text.split(separator: "\n").compactMap { line in
      line.hasPrefix("saved ") ? Int(line.dropFirst(6)) : nil
    }
    return steps.max() ?? 0
  }
}
