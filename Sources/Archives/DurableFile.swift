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
  private let storage: Storage
  private var descriptor: Int32

  public init(_ path: String, on storage: Storage = Storage()) throws {
    self.path = path
    self.storage = storage
    temporaryPath = path + ".partial"
    descriptor = try storage.create(temporaryPath)
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    try? storage.remove(temporaryPath)
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      done += try storage.write(rest, to: descriptor, temporaryPath)
    }
    count += done
  }

  public func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  public func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Makes the bytes durable under the temporary name, before a `commit` that other processes
  /// await.
  public func synchronize() throws {
    try storage.synchronize(descriptor, temporaryPath)
  }

  /// Gives the file its name: flush, close, rename, flush the folder. Nothing can be written after.
  public func commit() throws {
    try synchronize()
    let closed = close(descriptor)
    let code = errno
    descriptor = -1
    guard closed == 0 else {
      try? storage.remove(temporaryPath)
      throw ArchiveError.system("cannot be closed", path: temporaryPath, code: code)
    }
    do { try storage.rename(temporaryPath, to: path) } catch {
      try? storage.remove(temporaryPath)
      throw error
    }
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
