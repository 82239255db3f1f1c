import Archives

/// The binary batches of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3072 pixels
/// in planes, in a folder or an archive.
public struct CIFARInput: ShardInput {
  public let classes: [String]
  public let identity: String
  public let count: Int
  public let storage = ShardWriter.Storage.raw
  private let batches: [Batch]
  private let labelBytes: Int

  private struct Batch {
    var name: String
    var bytes: [UInt8]
  }

  private static let pixels = 3072

  /// - Parameters:
  ///   - path: folder or archive of the batches, or one batch file.
  ///   - split: `train` unless given, or `test`.
  public init(_ path: String, split: String = "") throws {
    let isFile = FileSystem.exists(path) && path.hasSuffix(".bin")
    let wanted = FileSystem.name(of: path)
    let store = try openMembers(isFile ? FileSystem.parent(of: path) : path) { name, _ in
      let base = FileSystem.name(of: name)
      return isFile ? base == wanted || base.hasSuffix(".txt") : Self.isBatchOrNames(base)
    }
    let members = store.members.indices.filter { store.members[$0].name.hasSuffix(".bin") }
    guard !members.isEmpty else {
      throw ArchiveError.bad(
        path, "has no CIFAR batches (data_batch_1.bin or train.bin)",
        remedy: "Give the folder or archive of the binary version")
    }
    let isTest = SplitName.canonical(split) == "test" || SplitName.canonical(split) == "validation"
    let chosen = members.filter { member in
      isFile || FileSystem.name(of: store.members[member].name).hasPrefix("test") == isTest
    }.sorted { store.members[$0].name < store.members[$1].name }
    batches = try chosen.map { Batch(name: store.members[$0].name, bytes: try store.read($0)) }
    let is100 = batches.contains {
      ["train.bin", "test.bin"].contains(FileSystem.name(of: $0.name))
    }
    labelBytes = is100 ? 2 : 1
    count = try Self.count(batches, record: labelBytes + Self.pixels, path: path)
    classes = try Self.classes(store, is100: is100)
    var crc = CRC32C()
    for batch in batches { batch.bytes.withUnsafeBytes { crc.update($0) } }
    identity = "cifar \(crc.value)"
  }

  /// Whether a folder or archive holds batches, so that class folders of images are told apart.
  static func isBatchOrNames(_ base: String) -> Bool {
    (base.hasPrefix("data_batch") || base.hasPrefix("test") || base.hasPrefix("train"))
      && base.hasSuffix(".bin") || base == "batches.meta.txt" || base == "fine_label_names.txt"
  }

  private static func count(_ batches: [Batch], record: Int, path: String) throws -> Int {
    for batch in batches where batch.bytes.count % record != 0 || batch.bytes.isEmpty {
      throw ArchiveError.bad(
        "\(path): \(batch.name)", "has \(batch.bytes.count) bytes, no multiple of \(record)",
        remedy: "Copy it again")
    }
    guard !batches.isEmpty else {
      throw ArchiveError.bad(path, "has no batches of this split", remedy: "Choose train or test")
    }
    return batches.reduce(0) { $0 + $1.bytes.count / record }
  }

  private static func classes(_ store: any MemberStore, is100: Bool) throws -> [String] {
    let wanted = is100 ? "fine_label_names.txt" : "batches.meta.txt"
    if let member = store.members.firstIndex(where: { FileSystem.name(of: $0.name) == wanted }) {
      let text = String(decoding: try store.read(member), as: UTF8.self)
      let names = text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.isEmpty }
      if names.count == (is100 ? 100 : 10) { return names }
    }
    if is100 { return (0..<100).map(String.init) }
    return [
      "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]
  }

  public func item(at index: Int) throws -> ShardItem {
    let record = labelBytes + Self.pixels
    var row = index
    var number = 0
    while row >= batches[number].bytes.count / record {
      row -= batches[number].bytes.count / record
      number += 1
    }
    let batch = batches[number]
    let start = row * record + labelBytes
    let plane = Self.pixels / 3
    let pixels = [UInt8](unsafeUninitializedCapacity: Self.pixels) { buffer, filled in
      for pixel in 0..<plane {
        for channel in 0..<3 {
          buffer[3 * pixel + channel] = batch.bytes[start + channel * plane + pixel]
        }
      }
      filled = Self.pixels
    }
    // CIFAR-100 puts the coarse label first.
    let label = Int(batch.bytes[start - 1])
    let name = "\(FileSystem.name(of: batch.name)) \(row)"
    guard label < classes.count else {
      throw ArchiveError.bad(
        name, "label \(label) is out of range, there are \(classes.count) classes",
        remedy: "Copy the file again")
    }
    return ShardItem(
      bytes: pixels, stored: .raw(width: 32, height: 32, channels: 3), label: label, name: name)
  }
}
