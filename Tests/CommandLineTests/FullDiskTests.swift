import Foundation
import TestSupport
import Testing

extension ProgramTests {
  /// A real disk without room: a file system of some megabytes in memory.
  @Suite(mpirunIsThere, mountIsPermitted) struct FullDiskTests {
    private static let settings = [
      "schedule.kind=constant", "schedule.warmupEpochs=0", "evaluation.everyEpochs=0",
      "checkpoints.everySteps=5", "checkpoints.keepLast=1",
    ]

    private func arguments(_ run: SmallRun, _ steps: Int) -> [String] {
      run.training("disk/run", Self.settings + ["steps=\(steps)"])
    }

    @Test func aDiskThatIsTooSmallIsRefusedBeforeTraining() throws {
      let run = try SmallRun()
      try withDisk(at: run.path("disk"), mebibytes: 1) {
        let outcome = try Program.run(arguments(run, 20), ranks: 2)
        #expect(outcome.status == 74, "\(outcome.errors)")
        #expect(outcome.errors.contains("2 more checkpoints"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("step 1/"))
      }
    }

    @Test func aDiskThatFillsUpEndsTheJobAndLosesNothing() throws {
      let run = try SmallRun()
      try withDisk(at: run.path("disk"), mebibytes: 8) {
        let running = try Program.Running(arguments(run, 1_000_000), ranks: 2)
        defer { kill(running.identifier, SIGKILL) }
        let limit = Date().addingTimeInterval(60)
        while try !run.exists("disk/run/checkpoints") || run.steps("disk/run").isEmpty {
          try #require(Date() < limit && running.isRunning, "the run saved nothing")
          usleep(3000)
        }
        try fill(run.path("disk/other"))
        let outcome = running.wait(seconds: 60)
        #expect(outcome.status == 74, "\(outcome.errors)")
        let paragraphs = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("vitdist:") }
        #expect(paragraphs.count == 1, "\(outcome.errors)")
        try FileManager.default.removeItem(atPath: run.path("disk/other"))
        let last = try #require(try run.steps("disk/run").last)
        let again = try Program.run(arguments(run, last + 6), ranks: 3)
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.errors.contains("going on after step \(last)"), "\(again.errors)")
        #expect(
          try Program.run(run.training("whole", Self.settings + ["steps=\(last + 6)"])).status == 0)
        #expect(try run.digest("disk/run") == run.digest("whole"))
      }
    }

    private func withDisk(at path: String, mebibytes: Int, _ body: () throws -> Void) throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let mounted = try Program.script(
        "/bin/mount", ["-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", path])
      try #require(mounted.status == 0, "\(mounted.errors)")
      defer { _ = try? Program.script("/bin/umount", ["--lazy", path]) }
      try body()
    }

    /// Writes until nothing more fits.
    private func fill(_ path: String) throws {
      let file = try #require(fopen(path, "w"))
      let block = [UInt8](repeating: 0, count: 4096)
      while fwrite(block, 1, block.count, file) == block.count {}
      fclose(file)
    }
  }
}

/// A reason to skip what needs a file system of its own.
private let mountIsPermitted = ConditionTrait.enabled(
  "only root in a machine or container that permits it can mount a tmpfs"
) {
  let path = NSTemporaryDirectory() + "vitdist-mount-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  guard FileManager.default.isExecutableFile(atPath: "/bin/mount"),
    try Program.script("/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path]).status == 0
  else { return false }
  return try Program.script("/bin/umount", [path]).status == 0
}
