import Archives

/// The files that a list of paths stands for.
struct ShardPaths {
  var files: [String] = []
  /// Whether names of files or folders already told the split apart.
  var splitIsChosen = false

  /// Folders stand for the HDF5 files in them.
  init(_ paths: [String], split: String) throws {
    for path in paths {
      if FileSystem.isFolder(path) {
        try addFolder(path, split: split)
      } else {
        guard FileSystem.exists(path) else {
          throw ArchiveError.system("there are no shards", path: path)
        }
        files.append(path)
      }
    }
    guard !files.isEmpty else {
      throw ArchiveError.bad(
        "shards", "no path was given", remedy: "Give a folder of shards or HDF5 files")
    }
    // A single file of a set may be wanted by itself, to look at it.
    if files.count > 1 || paths.contains(where: FileSystem.isFolder) { try checkSets() }
  }

  private mutating func addFolder(_ folder: String, split: String) throws {
    let entries = try FileSystem.list(folder).filter { !$0.hasPrefix(".") }
    let names = entries.filter { $0.hasSuffix(".h5") || $0.hasSuffix(".hdf5") }
    if names.isEmpty {
      let inner = entries.first {
        !split.isEmpty && SplitName.canonical($0) == SplitName.canonical(split)
          && FileSystem.isFolder(FileSystem.join(folder, $0))
      }
      guard let inner else {
        throw ArchiveError.bad(
          folder, "there are no HDF5 files (.h5, .hdf5) in it",
          remedy: "Give the folder that `vitdist shards create` wrote, or the files themselves")
      }
      try addFolder(FileSystem.join(folder, inner), split: split)
      splitIsChosen = true
      return
    }
    let chosen = try choose(names, in: folder, split: split)
    files.append(contentsOf: chosen.map { FileSystem.join(folder, $0) })
  }

  private mutating func choose(
    _ names: [String], in folder: String, split: String
  ) throws -> [String] {
    let tags = names.map { SplitName.mentioned(in: ShardFileName(parsing: $0)?.name ?? $0) ?? "" }
    let found = Set(tags).subtracting([""]).sorted()
    if !split.isEmpty, found.contains(SplitName.canonical(split)) {
      splitIsChosen = true
      return zip(names, tags).filter { $0.1 == SplitName.canonical(split) }.map(\.0)
    }
    guard found.count < 2 else {
      throw ArchiveError.bad(
        folder,
        "holds the splits \(found.joined(separator: ", "))"
          + (split.isEmpty ? "" : ", but no \(split)"), remedy: "Name one of them as the split")
    }
    return names
  }

  private func checkSets() throws {
    var present: [String: [ShardFileName: String]] = [:]
    for file in files {
      guard let name = ShardFileName(parsing: FileSystem.name(of: file)) else { continue }
      present[FileSystem.parent(of: file), default: [:]][name] = file
    }
    for (folder, shards) in present {
      let sets = Dictionary(grouping: shards.keys) { "\($0.name) of \($0.total)" }
      guard sets.count == 1, let some = shards.keys.first else {
        throw ArchiveError.bad(
          folder, "holds shards of several sets: \(sets.keys.sorted().joined(separator: ", "))",
          remedy: "Keep every set in a folder of its own")
      }
      for index in 0..<some.total {
        let wanted = ShardFileName(some.name, index: index, total: some.total)
        guard shards[wanted] != nil else {
          throw ArchiveError.bad(
            FileSystem.join(folder, "\(wanted)"), "this shard of the set is missing",
            remedy: "Copy it, or run `vitdist shards create` again to make what is missing")
        }
      }
    }
  }
}
