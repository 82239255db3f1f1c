import Archives
import Glibc

/// Writes one shard. The file appears under its name only when it is complete and durable.
public final class ShardWriter {
  /// How the images of a shard are stored.
  public enum Storage: String, Codable, Sendable, CaseIterable {
    /// JPEG and PNG streams as they are.
    case encoded
    /// Pixels of one size, uint8 [N, H, W, C].
    case raw
  }

  public let path: String
  /// Images appended.
  public private(set) var count = 0
  private let temporaryPath: String
  private let classes: [String]
  private var file: HDF5File?
  private let storage: Storage
  /// Images wait in a nameless file: HDF5 wants the size of a dataset before its first byte.
  private let staging: StagingFile
  private var offsets: [UInt64] = [0]
  private var kind: StoredImage?
  private var labels: [Int64] = []
  private var names: [String] = []
  private var crc = CRC32C()

  public init(
    _ name: ShardFileName, in folder: String, storage: Storage, classes: [String]
  ) throws {
    path = FileSystem.join(folder, name.description)
    temporaryPath = path + ".partial"
    self.classes = classes
    self.storage = storage
    staging = try StagingFile(beside: temporaryPath)
    file = try HDF5File(creating: temporaryPath, format: .since1_10)
  }

  deinit {
    if file != nil { unlink(temporaryPath) }
  }

  /// Adds an image; `name` may be empty.
  ///
  /// - Throws: `ArchiveError` if the image is not stored as the shard stores images, has another
  ///   size than the ones before (raw), or cannot be written.
  public func append(
    _ bytes: [UInt8], _ stored: StoredImage, label: Int, name: String = ""
  ) throws {
    precondition(file != nil, "\(path) is finished")
    guard classes.indices.contains(label) else {
      throw ArchiveError.bad(
        path, "label \(label) of \(name) is out of range, there are \(classes.count) classes",
        remedy: "Correct the labels or the class list")
    }
    try check(bytes, stored, name)
    try staging.append(bytes)
    offsets.append(offsets[count] + UInt64(bytes.count))
    kind = stored
    bytes.withUnsafeBytes { crc.update($0) }
    labels.append(Int64(label))
    names.append(name)
    count += 1
  }

  /// Completes the file and gives it its name.
  ///
  /// - Parameter build: digest of what the shard was made from; empty if it does not matter.
  public func finish(build: String = "") throws {
    guard let file else { preconditionFailure("\(path) is finished") }
    let block = try writeImages(to: file)
    labels.withUnsafeBytes { crc.update($0) }
    try file.write(ShardFormat.labels, labels, shape: [labels.count])
    if names.contains(where: { !$0.isEmpty }) { try file.writeStrings(ShardFormat.names, names) }
    try writeAttributes(to: file, build: build)
    try file.close()
    try ShardSeal.append(to: temporaryPath, leavingOut: block)
    try FileSystem.synchronizeFile(temporaryPath)
    try FileSystem.rename(temporaryPath, to: path)
    self.file = nil
  }

  private func check(_ bytes: [UInt8], _ stored: StoredImage, _ name: String) throws {
    guard case .raw(let width, let height, let channels) = stored else {
      guard storage == .encoded else {
        throw ArchiveError.bad(
          name, "is a JPEG or PNG stream, but the shard holds pixels",
          remedy: "Decode it first (give a size), or store streams")
      }
      return
    }
    guard storage == .raw else {
      throw ArchiveError.bad(
        name, "is pixels, but the shard holds JPEG or PNG streams",
        remedy: "Store raw pixels, or give encoded images")
    }
    precondition(bytes.count == width * height * channels, "\(name): bytes of another size")
    guard let kind, kind != stored else { return }
    throw ArchiveError.bad(
      name, "is \(stored), the images before are \(kind)",
      remedy: "Give one size for all images, or store streams")
  }

  /// Writes the staged images and returns where they lie in the file.
  private func writeImages(to file: HDF5File) throws -> Range<Int> {
    let total = Int(offsets[count])
    let dataset: HDF5Dataset
    if storage == .encoded {
      dataset = try file.create(ShardFormat.encoded, of: UInt8.self, shape: [total])
      try file.write(ShardFormat.offsets, offsets, shape: [offsets.count])
    } else {
      var image = [1, 1, 3]
      if case .raw(let width, let height, let channels) = kind {
        image = [height, width, channels]
      }
      dataset = try file.create(
        ShardFormat.images, of: UInt8.self, shape: [count] + image, chunk: [1] + image)
    }
    // Whole images at a time for pixels, whatever for streams.
    let unit = storage == .raw ? max(1, total / max(1, count)) : 1
    let step = max(1, (4 << 20) / unit) * unit
    let reader = try staging.reader()
    for start in stride(from: 0, to: total, by: step) {
      let piece = try reader.bytes(at: start, count: min(step, total - start))
      let rest = dataset.shape.dropFirst()
      try dataset.write(
        piece, at: [start / unit] + rest.map { _ in 0 }, count: [piece.count / unit] + rest)
    }
    return dataset.byteRange ?? 0..<0
  }

  private func writeAttributes(to file: HDF5File, build: String) throws {
    let attributes = file.attributes
    try attributes.write("format", ShardFormat.format)
    try attributes.write("version", ShardFormat.version)
    if classes.count <= ShardFormat.classesInAttribute {
      try attributes.write(ShardFormat.classes, classes)
    } else {
      try file.writeStrings(ShardFormat.classes, classes)
    }
    try attributes.write(ShardFormat.content, ShardFormat.text(of: crc.value))
    if !build.isEmpty { try attributes.write(ShardFormat.build, build) }
  }
}

extension ShardFormat {
  /// A CRC as the attribute `content` spells it.
  static func text(of crc: UInt32) -> String {
    let digits = String(crc, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
