import Archives
import Foundation
import Glibc

/// Holds an output folder for one job: a lock that the system drops when the process ends, however
/// it ends. Held by rank 0 only.
///
/// Some network file systems lock for the processes of one host only, or not at all. So the lock file
/// also names its holder by a number drawn at random, and `check` tells a holder that another job has
/// come: of two jobs that cannot see each other's lock the later one goes on, as it must where a batch
/// system has given up a node that still runs.
final class FolderLock: Sendable {
  private let directory: String
  private let descriptor: Int32
  /// What the file says of this holder; empty if it cannot be written.
  private let mark: String

  init(_ directory: String) throws {
    let path = directory + "/lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw CheckpointError(.system("cannot create the lock", path: path)) }
    if flock(file, LOCK_EX | LOCK_NB) != 0 && ![ENOSYS, EOPNOTSUPP, ENOLCK].contains(errno) {
      let isHeld = errno == EWOULDBLOCK
      let failure = CheckpointError(.system("cannot lock", path: path))
      close(file)
      if !isHeld { throw failure }
      throw CheckpointError(
        .inputOutput, path: directory, "the folder is in use by \(Self.holder(of: directory))",
        remedy: "Wait for that job to end, or give this one another --output")
    }
    descriptor = file
    self.directory = directory
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let text = "process \(getpid()) on \(host)\nnumber \(UInt64.random(in: 0 ... .max))\n"
    let bytes = Array(text.utf8)
    let isWritten = ftruncate(file, 0) == 0 && pwrite(file, bytes, bytes.count, 0) == bytes.count
    mark = isWritten ? text : ""
  }

  deinit { close(descriptor) }

  /// Throws if another job has taken the folder since.
  func check() throws {
    if mark.isEmpty || Self.text(of: directory) == mark { return }
    throw CheckpointError(
      .inputOutput, path: directory,
      "the folder was taken over by \(Self.holder(of: directory)) while this job was running",
      remedy: "Stop one of the two jobs, or give it another --output")
  }

  /// Opened anew each time: only that makes a network file system look.
  private static func text(of directory: String) -> String {
    let bytes = FileManager.default.contents(atPath: directory + "/lock") ?? Data()
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func holder(of directory: String) -> String {
    let line = text(of: directory).split(separator: "\n").first.map(String.init)
    return line ?? "a process that does not say its name"
  }
}
