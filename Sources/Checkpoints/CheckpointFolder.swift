import Archives
import Foundation
import Glibc

/// The folder that holds a run's checkpoints, as rank 0 changes it. A name ends in `.tmp` while it
/// is written, in `.old` while another of the same step takes its place, and in `.trash` once it may
/// go.
struct CheckpointFolder: Sendable {
  let path: String
  let options: CheckpointOptions
  var storage: Storage

  func name(step: Int) -> String { path + "/" + CheckpointFinder.name(step: step) }

  /// Creates the folder and those above it, durably: a checkpoint is lost with the folder it is in.
  func create() throws { try Self.create(path) }

  private static func create(_ directory: String) throws {
    if mkdir(directory, 0o755) == 0 {
      try FileSystem.synchronizeFolder(FileSystem.parent(of: directory))
      return
    }
    let parent = FileSystem.parent(of: directory)
    if errno == ENOENT && parent != directory && !directory.isEmpty {
      try create(parent)
      return try create(directory)
    }
    if errno == EEXIST && FileSystem.exists(directory) {
      if FileSystem.isFolder(directory) { return }
      errno = ENOTDIR
    }
    throw CheckpointError(.system("cannot create the folder", path: directory))
  }

  /// Removes what an interrupted save has left, and completes an interrupted replacement.
  func clear() throws {
    for (name, ending) in leftovers {
      let leftover = path + "/" + name + ending
      let final = path + "/" + name
      if ending == ".old", !FileSystem.exists(final) {
        try storage.rename(leftover, to: final)
      } else {
        try storage.removeFolder(leftover)
      }
    }
  }

  /// Names of checkpoints with the ending of what is not one.
  private var leftovers: [(name: String, ending: String)] {
    let names = (try? FileSystem.list(path)) ?? []
    return names.compactMap { name in
      guard let dot = name.lastIndex(of: "."),
        CheckpointFinder.step(of: String(name[..<dot])) != nil,
        [".tmp", ".trash", ".old"].contains(String(name[dot...]))
      else { return nil }
      return (String(name[..<dot]), String(name[dot...]))
    }
  }

  /// Gives a complete folder its final name; one of the same step makes room.
  func commit(_ temporary: String, as final: String) throws {
    if FileSystem.exists(final) {
      try storage.removeFolder(final + ".old")
      try storage.rename(final, to: final + ".old")
    }
    try storage.rename(temporary, to: final)
  }

  /// Deletes what retention does not keep; by rename first, so that half a checkpoint has no name.
  func retire(current: Int) throws {
    // What a step has replaced goes while the step is there: without it, it would be restored.
    try clear()
    let steps = CheckpointFinder.steps(in: path)
    let expendable = Retention(options: options).expendable(steps, current: current) { step in
      (try? CheckpointManifest.read(from: name(step: step)))?.metrics[options.bestMetric]
    }
    for step in expendable {
      try storage.rename(name(step: step), to: name(step: step) + ".trash")
      try storage.removeFolder(name(step: step) + ".trash")
    }
  }
}
