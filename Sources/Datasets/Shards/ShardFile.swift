import Archives

/// One open file of a set: images, labels and names of the wanted split, held against one another.
final class ShardFile: Sendable {
  let path: String
  /// Bytes of the file.
  let size: Int
  let images: any ShardImages
  /// Class of every image, not negative.
  let labels: IndexTable<Int32>
  /// Names of the classes; empty if the file does not tell.
  let classes: [String]
  /// CRC32C over positions (of streams) and labels.
  let tableCRC: UInt32
  /// Attributes of the writer, empty if absent.
  let build: String
  let content: String
  private let names: ShardNames

  var count: Int { labels.count }

  init(_ path: String, split: String, isChosen: Bool) throws {
    self.path = path
    let reader = try FileReader(path)
    try ShardSeal.check(reader)
    let file = try HDF5File(reading: path)
    size = reader.size
    let layout = try ShardLayout.find(in: file, split: split, isChosen: isChosen)
    let imageSet = try file.dataset(layout.images)
    let labelSet = try file.dataset(layout.labels)
    let rows = try Self.rows(of: layout, imageSet, labelSet, file)
    labels = IndexTable(try Self.readLabels(labelSet, rows: rows))
    var crc = CRC32C()
    images = try Self.open(layout, imageSet, rows: rows, file, reader, &crc)
    labels.withUnsafeBytes { crc.update($0) }
    tableCRC = crc.value
    classes = try Self.readClasses(file)
    build = (try? file.attributes.string(ShardFormat.build)) ?? ""
    content = (try? file.attributes.string(ShardFormat.content)) ?? ""
    names = try ShardNames(layout.names, of: file, first: rows.lowerBound, count: rows.count)
    try checkLabels(layout.labels)
  }

  /// The same file with its tables elsewhere.
  private init(_ other: ShardFile, labels: IndexTable<Int32>, images: any ShardImages) {
    (path, size, self.images, self.labels) = (other.path, other.size, images, labels)
    (classes, tableCRC, build) = (other.classes, other.tableCRC, other.build)
    (content, names) = (other.content, other.names)
  }

  /// Bytes of its tables in an `IndexMemory`.
  var indexBytes: Int { labels.roundedBytes + images.indexBytes }

  func moving(into memory: IndexMemory) -> ShardFile {
    let labels = memory.move(labels)
    return ShardFile(self, labels: labels, images: images.moving(into: memory))
  }

  /// Original name of a sample, empty if unknown.
  func name(_ index: Int) -> String { names[index] }

  /// The rows that the images and the labels both have.
  private static func rows(
    of layout: ShardLayout, _ images: HDF5Dataset, _ labels: HDF5Dataset, _ file: HDF5File
  ) throws -> Range<Int> {
    var imageCount = images.shape.first ?? 0
    if !layout.offsets.isEmpty {
      imageCount = max(0, (try file.dataset(layout.offsets).shape.first ?? 0) - 1)
    }
    let labelCount = labels.shape.first ?? 0
    if let rows = layout.rows {
      guard rows.upperBound <= imageCount, rows.upperBound <= labelCount else {
        throw ArchiveError.bad(
          file.path,
          "split \(layout.split) has rows \(rows), but there are \(imageCount) images and "
            + "\(labelCount) labels", remedy: "Choose a split with labels, or make the file again")
      }
      return rows
    }
    guard imageCount == labelCount else {
      throw ArchiveError.bad(
        file.path, "\(layout.images) has \(imageCount) images, \(layout.labels) has \(labelCount)",
        remedy: "Make the file again, with one label for every image")
    }
    return 0..<labelCount
  }

  private static func readLabels(_ dataset: HDF5Dataset, rows: Range<Int>) throws -> [Int32] {
    guard dataset.type.isInteger else {
      throw ArchiveError.bad(
        dataset.label, "labels are \(dataset.type), expected integers",
        remedy: "Store the index of the class, counted from 0")
    }
    guard dataset.shape.dropFirst().allSatisfy({ $0 == 1 }) else {
      throw ArchiveError.bad(
        dataset.label, "labels have shape \(dataset.shape), expected [N] or [N, 1]",
        remedy: "Store the index of the class, not a vector")
    }
    let ones = dataset.shape.dropFirst().map { _ in 1 }
    let wide: [Int64] = try dataset.read(
      from: [rows.lowerBound] + ones.map { _ in 0 }, count: [rows.count] + ones)
    return try wide.enumerated().map { index, label in
      guard label >= 0, label < 1 << 24 else {
        throw ArchiveError.bad(
          dataset.label, "label \(label) at \(rows.lowerBound + index) is out of range",
          remedy: "Labels are indices of classes, counted from 0")
      }
      return Int32(label)
    }
  }

  private static func open(
    _ layout: ShardLayout, _ images: HDF5Dataset, rows: Range<Int>, _ file: HDF5File,
    _ reader: FileReader, _ crc: inout CRC32C
  ) throws -> any ShardImages {
    if !layout.offsets.isEmpty {
      let offsets = try file.dataset(layout.offsets)
      let positions = try readOffsets(offsets, block: images)
      positions.withUnsafeBytes { crc.update($0) }
      return StreamImages(offsets: IndexTable(positions), block: ByteBlock(images, reader))
    }
    if case .variableLength(_, isByteLike: true) = images.type {
      return try RowImages(images, rows, reader)
    }
    return try ArrayImages(images, rows: rows, reader)
  }

  private static func readOffsets(
    _ dataset: HDF5Dataset, block: HDF5Dataset
  ) throws -> [UInt64] {
    guard dataset.type.isInteger, dataset.shape.count == 1, dataset.shape[0] > 0 else {
      throw ArchiveError.bad(
        dataset.label, "is \(dataset.type) \(dataset.shape), expected integers [N + 1]",
        remedy: "Make the file again")
    }
    guard block.type == .integer(bytes: 1, signed: false), block.shape.count == 1 else {
      throw ArchiveError.bad(
        block.label, "is \(block.type) \(block.shape), expected uint8 [bytes]",
        remedy: "Make the file again")
    }
    let offsets: [UInt64] = try dataset.read()
    for index in 1..<max(1, offsets.count) where offsets[index] < offsets[index - 1] {
      throw ArchiveError.bad(
        dataset.label,
        "position \(index) is \(offsets[index]), below the one before "
          + "(\(offsets[index - 1]))", remedy: "The file is damaged: copy or make it again")
    }
    guard offsets[0] == 0, offsets[offsets.count - 1] == UInt64(block.shape[0]) else {
      throw ArchiveError.bad(
        dataset.label,
        "positions run from \(offsets[0]) to \(offsets[offsets.count - 1]), expected 0 "
          + "to the \(block.shape[0]) bytes of \(block.name)",
        remedy: "The file is damaged: copy or make it again")
    }
    return offsets
  }

  private static func readClasses(_ file: HDF5File) throws -> [String] {
    for name in [ShardFormat.classes, "class_names"] {
      if let list = try? file.attributes.strings(name) { return list }
      if file.isDataset(name) {
        let dataset = try file.dataset(name)
        switch dataset.type {
        case .fixedString, .variableString: return try dataset.readStrings()
        default: continue
        }
      }
    }
    return []
  }

  private func checkLabels(_ name: String) throws {
    guard !classes.isEmpty, let index = labels.firstIndex(where: { $0 >= classes.count }) else {
      return
    }
    let isOneBased = !labels.contains(0) && labels.allSatisfy { $0 <= classes.count }
    throw ArchiveError.bad(
      "\(path): \(name)",
      "label \(labels[index]) at \(index) is out of range, there are \(classes.count) classes",
      remedy: isOneBased
        ? "The labels seem to count from 1: subtract 1" : "Correct the labels or the class list")
  }
}

/// Names of a file's samples, read when one is wanted.
struct ShardNames: Sendable {
  private let dataset: HDF5Dataset?
  private let first: Int

  init(_ name: String, of file: HDF5File, first: Int, count: Int) throws {
    self.first = first
    guard !name.isEmpty else {
      dataset = nil
      return
    }
    let opened = try file.dataset(name)
    switch opened.type {
    case .fixedString, .variableString:
      dataset = (opened.shape.first ?? 0) >= first + count ? opened : nil
    default: dataset = nil
    }
  }

  subscript(index: Int) -> String {
    guard let dataset else { return "" }
    let row = first + index
    return (try? dataset.readStrings(row..<row + 1).first) ?? ""
  }
}
