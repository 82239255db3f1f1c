import Archives
import Glibc

/// The files of an archive, indexed in one pass.
///
/// Files of a plain tar are read where they lie. Those of a compressed archive are unpacked during
/// the pass to a nameless file in `TMPDIR` (or `/tmp`), so that memory stays small and any order is
/// fast.
struct ArchiveMembers: MemberStore {
  let path: String
  let members: [Member]
  private let offsets: [Int]
  private let reader: FileReader

  init(
    _ path: String, isWanted: (_ name: String, _ head: () -> [UInt8]) -> Bool
  ) throws {
    var index = ArchiveIndex(try ArchiveStream(path))
    try index.run(isWanted)
    self.path = path
    members = index.found.map(\.member)
    offsets = index.found.map(\.offset)
    reader = try index.staging?.reader() ?? FileReader(path)
  }

  func read(_ index: Int) throws -> [UInt8] {
    try reader.bytes(at: offsets[index], count: members[index].bytes)
  }
}

/// The pass over an archive.
private struct ArchiveIndex {
  private let stream: ArchiveStream
  private(set) var found: [(member: Member, offset: Int)] = []
  private(set) var staging: StagingFile?

  init(_ stream: ArchiveStream) { self.stream = stream }

  mutating func run(_ isWanted: (String, () -> [UInt8]) -> Bool) throws {
    let reader = try FileReader(stream.path)
    while let entry = try stream.next() {
      let name = Self.clean(entry.name)
      guard entry.isFile, !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else {
        continue
      }
      if stream.isPlainTar {
        try locate(name, entry.bytes, reader, isWanted)
      } else {
        try stage(name, isWanted)
      }
    }
  }

  /// Names as `tar -c .` writes them begin with `./`.
  private static func clean(_ name: String) -> String {
    name.split(separator: "/").filter { $0 != "." && $0 != ".." }.joined(separator: "/")
  }

  private mutating func locate(
    _ name: String, _ bytes: Int, _ reader: FileReader, _ isWanted: (String, () -> [UInt8]) -> Bool
  ) throws {
    var offset = stream.position
    var head: [UInt8] = []
    try stream.blocks { block in
      offset = stream.position
      head = Array(block.prefix(16))
      return false
    }
    guard isWanted(name, { head }) else { return }
    guard try reader.bytes(at: offset, count: head.count) == head else {
      throw ArchiveError.bad(
        stream.path, "\(name) does not lie in one piece (a sparse tar?)",
        remedy: "Unpack the archive and give the folder")
    }
    found.append((Member(name: name, bytes: bytes), offset))
  }

  private mutating func stage(_ name: String, _ isWanted: (String, () -> [UInt8]) -> Bool) throws {
    let target = try staging ?? StagingFile(beside: Self.temporaryFolder + "/vitdist")
    staging = target
    let start = target.count
    var isFirst = true
    var isKept = false
    try stream.blocks { block in
      if isFirst { isKept = isWanted(name, { Array(block.prefix(16)) }) }
      isFirst = false
      if isKept { try target.append(block) }
      return isKept
    }
    if isFirst { isKept = isWanted(name, { [] }) }
    if isKept { found.append((Member(name: name, bytes: target.count - start), start)) }
  }

  private static var temporaryFolder: String {
    guard let folder = getenv("TMPDIR") else { return "/tmp" }
    return String(cString: folder)
  }
}
