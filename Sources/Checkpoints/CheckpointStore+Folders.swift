import Archives
import Foundation
import Glibc

/// What rank 0 does with folders. A name ends in `.tmp` while it is written, in `.old` while
/// another of the same step takes its place, and in `.trash` once it may go.
extension CheckpointStore {
  /// Creates a folder and those above it, durably: a checkpoint is lost with the folder it is in.
  static func create(_ directory: String) throws {
    if mkdir(directory, 0o755) == 0 {
      try FileSystem.synchronizeFolder(FileSystem.parent(of: directory))
      return
    }
    let parent = FileSystem.parent(of: directory)
    if errno == ENOENT && parent != directory && !directory.isEmpty {
      try create(parent)
      return try create(directory)
    }
    var status = stat()
    if errno == EEXIST && stat(directory, &status) == 0 {
      if status.st_mode & S_IFMT == S_IFDIR { return }
      errno = ENOTDIR
    }
    throw CheckpointError(.system("cannot create the folder", path: directory))
  }

  static func remove(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw CheckpointError(
        .inputOutput, path: path, "cannot delete: \(error)",
        remedy: "Check the permissions, then delete it by hand")
    }
  }

  /// Removes what an interrupted job has left, and completes an interrupted replacement.
  static func clear(_ directory: String) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    for name in names {
      guard let dot = name.lastIndex(of: "."),
        CheckpointFinder.step(of: String(name[..<dot])) != nil
      else { continue }
      let path = directory + "/" + name
      let final = directory + "/" + name[..<dot]
      switch name[dot...] {
      case ".tmp", ".trash": try remove(path)
      case ".old" where FileManager.default.fileExists(atPath: final): try remove(path)
      case ".old": try FileSystem.rename(path, to: final)
      default: break
      }
    }
  }

  /// Gives a complete folder its final name; one of the same step makes room and goes.
  func commit(_ temporary: String, as final: String) throws {
    let isReplacement = FileManager.default.fileExists(atPath: final)
    if isReplacement {
      try Self.remove(final + ".old")
      try FileSystem.rename(final, to: final + ".old")
      try passed("old checkpoint set aside")
    }
    guard Glibc.rename(temporary, final) == 0 else {
      throw CheckpointError(.system("cannot rename to \(final)", path: temporary))
    }
    try passed("renamed")
    try FileSystem.synchronizeFolder(directory)
    try passed("committed")
    if isReplacement { try Self.remove(final + ".old") }
  }

  /// Deletes what retention does not keep; by rename first, so that half a checkpoint has no name.
  func retire(current: Int) throws {
    let steps = CheckpointFinder.steps(in: directory)
    let expendable = Retention(options: options).expendable(steps, current: current) { step in
      let folder = directory + "/" + CheckpointFinder.name(step: step)
      return (try? CheckpointManifest.read(from: folder))?.metrics[options.bestMetric]
    }
    for step in expendable {
      let path = directory + "/" + CheckpointFinder.name(step: step)
      try Self.remove(path + ".trash")
      try FileSystem.rename(path, to: path + ".trash")
      try passed("moved to trash")
      try Self.remove(path + ".trash")
      try passed("trash deleted")
    }
  }

  static func freeBytes(_ directory: String) -> Int {
    var status = statvfs()
    guard statvfs(directory, &status) == 0 else { return -1 }
    return Int(clamping: UInt64(status.f_bavail)) * Int(clamping: UInt64(status.f_frsize))
  }
}
