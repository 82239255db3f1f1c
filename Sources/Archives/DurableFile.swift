import Glibc

/// A file being written whose bytes survive a crash once `commit` has returned.
///
/// Every call throws `ArchiveError` of kind `inputOutput` with the system's reason.
public final class DurableFile {
  public let path: String
  /// Bytes written so far.
  public private(set) var size = 0
  private var descriptor: Int32

  /// Creates the file; one that exists already is emptied.
  public init(creating path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw ArchiveError.system("cannot create the file", path: path) }
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    precondition(descriptor >= 0, "write after commit: \(path)")
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw ArchiveError.system("cannot write", path: path) }
      done += count
    }
    size += done
  }

  public func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// Forces the bytes to the device and closes the file.
  public func commit() throws {
    precondition(descriptor >= 0, "committed twice: \(path)")
    guard fsync(descriptor) == 0 else { throw ArchiveError.system("cannot sync", path: path) }
    let status = Glibc.close(descriptor)
    descriptor = -1
    guard status == 0 else { throw ArchiveError.system("cannot close", path: path) }
  }
}

extension DurableFile {
  /// Writes `bytes` beside `path`, syncs, and renames over it: readers see the old or the new file.
  public static func replace(_ path: String, with bytes: UnsafeRawBufferPointer) throws {
    let file = try DurableFile(creating: path + ".tmp")
    try file.write(bytes)
    try file.commit()
    try rename(path + ".tmp", to: path)
  }

  /// Renames and syncs the folder that holds the new name.
  public static func rename(_ old: String, to new: String) throws {
    guard Glibc.rename(old, new) == 0 else {
      throw ArchiveError.system("cannot rename to \(new)", path: old)
    }
    try syncFolder(parent(of: new))
  }

  /// Makes the names in a folder durable: without it a crash may undo a create or a rename.
  public static func syncFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ArchiveError.system("cannot open the folder", path: path) }
    defer { Glibc.close(descriptor) }
    // Some network file systems refuse to sync a folder and keep names in order themselves.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw ArchiveError.system("cannot sync the folder", path: path)
    }
  }

  public static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension ArchiveError {
  /// The system's refusal, with the reason in `errno`.
  public static func system(_ problem: String, path: String) -> ArchiveError {
    let code = errno
    let remedy =
      switch code {
      case ENOSPC, EDQUOT: "Free space or choose another folder"
      case EACCES, EPERM, EROFS: "Check the permissions"
      case ENOENT: "Check the path"
      default: "Check the device and the path"
      }
    return ArchiveError(
      .inputOutput, path: path, "\(problem): \(String(cString: strerror(code)))", remedy: remedy)
  }
}
