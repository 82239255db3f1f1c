import Archives

/// Images in class folders, `[split/]class/.../file`, as a folder or an archive of one.
///
/// Classes are numbered in byte order of their names, and images follow in byte order of theirs, as
/// torchvision's `ImageFolder` does it.
public struct ClassFolderInput: ShardInput {
  public let classes: [String]
  public let identity: String
  public let storage = ShardWriter.Storage.encoded
  private let store: any MemberStore
  /// Member and label of every image.
  private let images: [(member: Int, label: Int)]

  /// - Parameters:
  ///   - path: folder, tar or zip, compressed or not.
  ///   - split: which folder of splits, in any usual spelling; empty if there are none.
  ///   - classes: the class list to number by; the folders found if empty. Needed where a set lacks
  ///     some classes of the one it goes with.
  public init(_ path: String, split: String = "", classes: [String] = []) throws {
    let store = try openMembers(path, isWanted: ImageSignature.isWanted)
    try self.init(store, split: split, classes: classes)
  }

  init(_ store: any MemberStore, split: String, classes: [String]) throws {
    self.store = store
    let names = store.members.map(\.name)
    let found = try ClassFolders(names, split: split, root: store.path)
    self.classes = classes.isEmpty ? Set(found.classes).sortedByBytes() : classes
    let numbers = Dictionary(
      self.classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let labelled = try zip(found.members, found.classes).map { member, name in
      guard let label = numbers[name] else {
        throw ArchiveError.bad(
          "\(store.path): \(names[member])", "\(name) is not in the class list",
          remedy: "Add it to the list, or leave the list away")
      }
      return (member: member, label: label)
    }
    images = labelled.sorted { a, b in
      a.label != b.label
        ? a.label < b.label : names[a.member].utf8.lexicographicallyPrecedes(names[b.member].utf8)
    }
    let digest = SHA256Digest()
    for image in images {
      let member = store.members[image.member]
      digest.update("\(member.name)\t\(member.bytes)\t\(image.label)\n")
    }
    identity = digest.finish()
  }

  public var count: Int { images.count }

  public func item(at index: Int) throws -> ShardItem {
    let image = images[index]
    let bytes = try store.read(image.member)
    let name = store.members[image.member].name
    guard ImageSignature.isImage(bytes) else {
      throw ArchiveError.bad(
        "\(store.path): \(name)", "is neither JPEG nor PNG", remedy: "Remove or convert it")
    }
    return ShardItem(bytes: bytes, stored: .encoded, label: image.label, name: name)
  }
}

/// What the first bytes of a file tell.
enum ImageSignature {
  static func isImage(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0xFF, 0xD8, 0xFF]) || bytes.starts(with: [0x89, 0x50, 0x4E, 0x47])
  }

  /// Files with a usual ending are taken unseen, so that a broken one is reported and not passed
  /// over; others if they begin like an image.
  static func isWanted(_ name: String, _ head: () -> [UInt8]) -> Bool {
    let lowered = name.lowercased()
    return [".jpg", ".jpeg", ".png"].contains { lowered.hasSuffix($0) } || isImage(head())
  }
}

extension Sequence<String> {
  /// In the order of their bytes, which no locale changes.
  func sortedByBytes() -> [String] {
    sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
