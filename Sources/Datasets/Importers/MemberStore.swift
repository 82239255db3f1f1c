import Archives
import Glibc

/// A file of a folder or archive.
public struct Member: Sendable, Equatable {
  /// Path inside the folder or archive, with `/` between its parts.
  public var name: String
  public var bytes: Int
}

/// Files under one root, each to be read by itself: a folder, or an archive of one.
public protocol MemberStore: Sendable {
  /// The folder or archive, for messages.
  var path: String { get }
  var members: [Member] { get }
  func read(_ index: Int) throws -> [UInt8]
}

/// Opens a folder, or a tar or zip archive, compressed or not.
///
/// - Parameter isWanted: decides by name and first bytes (up to 16, none if the name suffices)
///   which files are members.
func openMembers(
  _ path: String, isWanted: @escaping (_ name: String, _ head: () -> [UInt8]) -> Bool
) throws -> any MemberStore {
  FileSystem.isFolder(path)
    ? try FolderMembers(path, isWanted: isWanted) : try ArchiveMembers(path, isWanted: isWanted)
}

/// The files of a folder and all below it, in byte order of their names.
struct FolderMembers: MemberStore {
  let path: String
  private(set) var members: [Member] = []

  init(_ path: String, isWanted: (_ name: String, _ head: () -> [UInt8]) -> Bool) throws {
    self.path = path
    try add("", depth: 0, isWanted)
  }

  private mutating func add(
    _ inner: String, depth: Int, _ isWanted: (String, () -> [UInt8]) -> Bool
  ) throws {
    let folder = inner.isEmpty ? path : FileSystem.join(path, inner)
    guard depth < 32 else {
      throw ArchiveError.bad(
        folder, "folders are nested too deeply", remedy: "Look for a link that leads upwards")
    }
    for entry in try FileSystem.list(folder) where !entry.hasPrefix(".") {
      let name = inner.isEmpty ? entry : "\(inner)/\(entry)"
      let full = FileSystem.join(path, name)
      var info = stat()
      guard stat(full, &info) == 0 else {
        throw ArchiveError.system("cannot be examined", path: full)
      }
      switch info.st_mode & S_IFMT {
      case S_IFDIR: try add(name, depth: depth + 1, isWanted)
      case S_IFREG where isWanted(name, { Self.head(of: full) }):
        members.append(Member(name: name, bytes: Int(info.st_size)))
      default: continue
      }
    }
  }

  private static func head(of path: String) -> [UInt8] {
    guard let reader = try? FileReader(path) else { return [] }
    return (try? reader.bytes(at: 0, count: min(16, reader.size))) ?? []
  }

  func read(_ index: Int) throws -> [UInt8] {
    let reader = try FileReader(FileSystem.join(path, members[index].name))
    return try reader.bytes(at: 0, count: reader.size)
  }
}
