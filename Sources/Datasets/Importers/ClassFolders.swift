import Archives

/// Which files are images of which class, from their paths alone.
struct ClassFolders {
  /// Positions in the list of paths.
  private(set) var members: [Int] = []
  /// Class name of each.
  private(set) var classes: [String] = []

  init(_ paths: [String], split: String, root: String) throws {
    var parts = paths.enumerated().map { (member: $0, parts: $1.split(separator: "/")) }
    guard !parts.isEmpty else {
      throw ArchiveError.bad(
        root, "there are no JPEG or PNG images in it", remedy: "Give a folder of class folders")
    }
    if !split.isEmpty {
      parts = try Self.choose(split, parts, root: root)
    } else {
      parts = Self.withoutCommonFolders(parts)
      try Self.refuseSplits(parts, root: root)
    }
    for (member, parts) in parts {
      guard parts.count >= 2 else {
        throw ArchiveError.bad(
          "\(root): \(paths[member])", "is not in a class folder",
          remedy: "Put every image in a folder named as its class")
      }
      members.append(member)
      classes.append(String(parts[0]))
    }
  }

  private typealias Parts = [(member: Int, parts: [Substring])]

  /// What lies under the folder of the split, which may itself lie in other folders.
  private static func choose(_ split: String, _ all: Parts, root: String) throws -> Parts {
    let wanted = SplitName.canonical(split)
    for depth in 0..<(all.map(\.parts.count).max() ?? 0) {
      let chosen = all.filter {
        $0.parts.count > depth + 1 && SplitName.canonical(String($0.parts[depth])) == wanted
      }
      if !chosen.isEmpty { return chosen.map { ($0.member, Array($0.parts.dropFirst(depth + 1))) } }
    }
    let known = Set(all.flatMap { $0.parts.dropLast().compactMap { SplitName.known(String($0)) } })
    throw ArchiveError.bad(
      root, "has no folder of the split \(split)",
      remedy: known.isEmpty
        ? "Leave the split away" : "Choose one of \(known.sorted().joined(separator: ", "))")
  }

  /// Drops folders that hold everything, as long as a class folder is left below.
  private static func withoutCommonFolders(_ all: Parts) -> Parts {
    var rest = all
    while let first = rest.first?.parts.first,
      rest.allSatisfy({ $0.parts.count >= 3 && $0.parts[0] == first })
    {
      rest = rest.map { ($0.member, Array($0.parts.dropFirst())) }
    }
    return rest
  }

  /// Folders named like splits are not taken for classes.
  private static func refuseSplits(_ all: Parts, root: String) throws {
    let folders = Set(all.filter { $0.parts.count >= 3 }.map { String($0.parts[0]) })
    let splits = folders.filter { SplitName.known($0) != nil }
    guard splits.count > 1, splits.count == folders.count else { return }
    throw ArchiveError.bad(
      root, "holds the splits \(splits.sorted().joined(separator: ", "))",
      remedy: "Choose one with --split")
  }
}
