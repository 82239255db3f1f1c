import Glibc

/// The few file operations the project needs, each throwing `ArchiveError.inputOutput` with the
/// path and the system's reason.
public enum FileSystem {
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  public static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// Bytes of a file.
  public static func size(_ path: String) throws -> Int {
    var info = stat()
    guard stat(path, &info) == 0 else {
      throw ArchiveError.system("cannot be examined", path: path)
    }
    return Int(info.st_size)
  }

  /// Names in a folder in byte order, without `.` and `..`.
  public static func list(_ folder: String) throws -> [String] {
    guard let stream = opendir(folder) else {
      throw ArchiveError.system("cannot be listed", path: folder)
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw ArchiveError.system("cannot be listed", path: folder) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Makes a folder and those above it; an existing folder is fine.
  public static func makeFolder(_ path: String) throws {
    if mkdir(path, 0o777) == 0 { return }
    if errno == EEXIST, isFolder(path) { return }
    guard errno == ENOENT, let parent = parentIfAny(of: path) else {
      throw ArchiveError.system("the folder cannot be made", path: path)
    }
    try makeFolder(parent)
    // Another rank may have made it in between.
    guard mkdir(path, 0o777) == 0 || (errno == EEXIST && isFolder(path)) else {
      throw ArchiveError.system("the folder cannot be made", path: path)
    }
  }

  /// Removes a file; one that is not there is fine.
  public static func remove(_ path: String) throws { try Storage().remove(path) }

  /// Removes a folder with all it holds; one that is not there is fine.
  public static func removeFolder(_ path: String) throws { try Storage().removeFolder(path) }

  /// Gives a file or folder its final name in one step and makes the name durable.
  public static func rename(_ old: String, to new: String) throws {
    try Storage().rename(old, to: new)
  }

  /// Makes the names in a folder durable.
  public static func synchronizeFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ArchiveError.system("cannot be opened", path: path) }
    defer { close(descriptor) }
    // Some network file systems refuse to synchronise a folder; their names are durable already.
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw ArchiveError.system("cannot be made durable (fsync)", path: path)
    }
  }

  /// Makes the content of a closed file durable.
  public static func synchronizeFile(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ArchiveError.system("cannot be opened", path: path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw ArchiveError.system("cannot be made durable (fsync)", path: path)
    }
  }

  /// Bytes that an ordinary user can still write on the file system of `path`.
  public static func freeBytes(at path: String) throws -> Int {
    var info = statvfs()
    guard statvfs(path, &info) == 0 else {
      throw ArchiveError.system("the free space cannot be found", path: path)
    }
    return Int(clamping: UInt64(info.f_bavail) &* UInt64(info.f_frsize))
  }

  public static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty || folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The last component of a path.
  public static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  public static func parent(of path: String) -> String { parentIfAny(of: path) ?? "." }

  private static func parentIfAny(of path: String) -> String? {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = trimmed.lastIndex(of: "/") else { return nil }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }
}
