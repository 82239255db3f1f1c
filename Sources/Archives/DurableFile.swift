import Glibc

/// A new file that appears under its name only when it is complete and durable.
///
/// The bytes go to `NAME.partial`; `commit` flushes them to the disk, renames and flushes the
/// folder. A file that is not committed leaves nothing behind, and one of that name from before
/// stays.
public final class DurableFile {
  public let path: String
  /// Where the bytes are until `commit`.
  public let temporaryPath: String
  /// Bytes written.
  public private(set) var count = 0
  private var descriptor: Int32

  public init(_ path: String) throws {
    self.path = path
    temporaryPath = path + ".partial"
    descriptor = open(temporaryPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw ArchiveError.system("cannot be created", path: temporaryPath)
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporaryPath)
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let put = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if put < 0, errno == EINTR { continue }
      guard put >= 0 else { throw ArchiveError.system("cannot be written", path: temporaryPath) }
      done += put
    }
    count += done
  }

  public func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  public func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Makes the bytes durable under the temporary name, before a `commit` that other processes
  /// await.
  public func synchronize() throws {
    guard fsync(descriptor) == 0 else {
      throw ArchiveError.system("cannot be made durable (fsync)", path: temporaryPath)
    }
  }

  /// Gives the file its name: flush, close, rename, flush the folder. Nothing can be written after.
  public func commit() throws {
    try synchronize()
    let closed = close(descriptor)
    let code = errno
    descriptor = -1
    guard closed == 0 else {
      unlink(temporaryPath)
      throw ArchiveError.system("cannot be closed", path: temporaryPath, code: code)
    }
    try FileSystem.rename(temporaryPath, to: path)
  }

  /// Writes a whole file durably.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try DurableFile(path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a whole text file durably.
  public static func write(_ text: String, to path: String) throws {
    try write(Array(text.utf8), to: path)
  }
}
