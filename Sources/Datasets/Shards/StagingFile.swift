import Archives
import Glibc

/// A file without a name: it takes bytes, gives them back from any position, and is gone when it is
/// let go, however the process ends.
final class StagingFile {
  private let path: String
  private let descriptor: Int32
  private var pending: [UInt8] = []
  private(set) var count = 0

  /// Opens it on the file system of `path`, whose folder must exist.
  init(beside path: String) throws {
    self.path = path
    var template = Array((path + ".staging-XXXXXX").utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw ArchiveError.system("a staging file cannot be made", path: path)
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    pending.append(contentsOf: bytes)
    count += bytes.count
    if pending.count >= 1 << 20 { try flush() }
  }

  private func flush() throws {
    try pending.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let put = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        if put < 0, errno == EINTR { continue }
        guard put >= 0 else { throw ArchiveError.system("cannot be staged", path: path) }
        done += put
      }
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// A reader of what was appended, which outlives this object.
  func reader() throws -> FileReader {
    try flush()
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw ArchiveError.system("cannot be read back", path: path) }
    return try FileReader(adopting: copy, path: path)
  }
}
