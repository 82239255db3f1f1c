import Foundation
import Glibc

/// Holds an output folder for one job: a lock that the system drops when the process ends, however
/// it ends. Held by rank 0 only.
final class FolderLock {
  private let descriptor: Int32

  init(_ directory: String) throws {
    let path = directory + "/lock"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw CheckpointError(.system("cannot create the lock", path: path)) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let isHeld = errno == EWOULDBLOCK
      let failure = CheckpointError(.system("cannot lock", path: path))
      close(file)
      if !isHeld { throw failure }
      let holder =
        FileManager.default.contents(atPath: path)
        .map { String(decoding: $0, as: UTF8.self).split(separator: "\n").joined() } ?? ""
      throw CheckpointError(
        .inputOutput, path: directory, "the folder is in use by \(holder)",
        remedy: "Wait for that job to end, or give this one another --output")
    }
    descriptor = file
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let text = Array("process \(getpid()) on \(host)\n".utf8)
    // Only a message for humans; the lock holds without it.
    if ftruncate(file, 0) == 0 { _ = pwrite(file, text, text.count, 0) }
  }

  deinit { close(descriptor) }
}
