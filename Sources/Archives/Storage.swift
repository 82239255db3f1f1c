import Glibc

/// The operations by which a disk changes, one by one, for files that must survive a crash.
///
/// Whoever writes such files is handed a value of this type. With a fault in it, every operation has
/// a site before and a site after it at which the fault may strike; without one it is the system's
/// call and nothing else. Failures are `ArchiveError.inputOutput`.
public struct Storage: Sendable {
  private let fault: StorageFault?

  public init(fault: StorageFault? = nil) { self.fault = fault }

  /// Makes one folder; an existing one is fine.
  public func makeFolder(_ path: String) throws {
    try step("the folder cannot be made", path) {
      guard mkdir(path, 0o777) == 0 || (errno == EEXIST && FileSystem.isFolder(path)) else {
        throw ArchiveError.system("the folder cannot be made", path: path)
      }
    }
  }

  /// Gives a file or folder its final name in one step and makes the name durable.
  public func rename(_ old: String, to new: String) throws {
    try step("cannot be renamed to \(new)", old) {
      guard Glibc.rename(old, new) == 0 else {
        throw ArchiveError.system("cannot be renamed to \(new)", path: old)
      }
    }
    try synchronizeFolder(FileSystem.parent(of: new))
  }

  /// Makes the names in a folder durable.
  public func synchronizeFolder(_ path: String) throws {
    try step("cannot be made durable (fsync)", path) { try FileSystem.synchronizeFolder(path) }
  }

  /// Removes a file; one that is not there is fine.
  public func remove(_ path: String) throws {
    try step("cannot be removed", path) {
      guard unlink(path) == 0 || errno == ENOENT else {
        throw ArchiveError.system("cannot be removed", path: path)
      }
    }
  }

  /// Removes a folder with all it holds; one that is not there is fine.
  public func removeFolder(_ path: String) throws {
    guard FileSystem.exists(path) else { return }
    for name in try FileSystem.list(path) {
      let member = FileSystem.join(path, name)
      var info = stat()
      let isRealFolder = lstat(member, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
      if isRealFolder { try removeFolder(member) } else { try remove(member) }
    }
    try step("the folder cannot be removed", path) {
      guard rmdir(path) == 0 || errno == ENOENT else {
        throw ArchiveError.system("the folder cannot be removed", path: path)
      }
    }
  }

  private func step(_ action: String, _ path: String, _ body: () throws -> Void) throws {
    _ = try fault?.pass(action, path)
    try body()
    _ = try fault?.pass(action, path)
  }
}

// MARK: - Open files

extension Storage {
  /// An empty file, open for reading and writing.
  func create(_ path: String) throws -> Int32 {
    _ = try fault?.pass("cannot be created", path)
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw ArchiveError.system("cannot be created", path: path) }
    do { _ = try fault?.pass("cannot be created", path) } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Appends some of the bytes; returns how many, as the system's call does.
  func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws -> Int {
    func put(_ count: Int) throws -> Int {
      while true {
        let done = Glibc.write(descriptor, bytes.baseAddress, count)
        if done < 0, errno == EINTR { continue }
        guard done >= 0 else { throw ArchiveError.system("cannot be written", path: path) }
        return done
      }
    }
    guard let fault else { return try put(bytes.count) }
    let isWhole = try fault.pass("cannot be written", path) {
      // A disk that fills up takes what it can before it says so.
      _ = try? put(bytes.count / 2)
    }
    let done = try put(isWhole ? bytes.count : max(1, bytes.count / 2))
    _ = try fault.pass("cannot be written", path)
    return done
  }

  /// Makes an open file's bytes durable.
  func synchronize(_ descriptor: Int32, _ path: String) throws {
    try step("cannot be made durable (fsync)", path) {
      guard fsync(descriptor) == 0 else {
        throw ArchiveError.system("cannot be made durable (fsync)", path: path)
      }
    }
  }
}
