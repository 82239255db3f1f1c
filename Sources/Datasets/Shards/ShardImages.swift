import Archives

/// The images of one file, however they are stored.
protocol ShardImages: Sendable {
  var count: Int { get }
  /// What an inspection says of the storage.
  var layout: String { get }
  /// Every image is of this kind; nil where sizes vary (streams).
  var fixedKind: StoredImage? { get }
  func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage
  /// Bytes of its tables in an `IndexMemory`.
  var indexBytes: Int { get }
  /// The same images with their tables there.
  func moving(into memory: IndexMemory) -> Self
}

extension ShardImages {
  var indexBytes: Int { 0 }
  func moving(into memory: IndexMemory) -> Self { self }
}

extension [UInt8] {
  /// Changes the count without giving up capacity.
  mutating func resize(to newCount: Int) {
    if newCount <= count {
      removeLast(count - newCount)
    } else {
      append(contentsOf: repeatElement(0, count: newCount - count))
    }
  }
}

/// JPEG and PNG streams end to end in one dataset.
struct StreamImages: ShardImages {
  /// N + 1 positions in the block.
  let offsets: IndexTable<UInt64>
  let block: ByteBlock

  var indexBytes: Int { offsets.roundedBytes }

  func moving(into memory: IndexMemory) -> StreamImages {
    StreamImages(offsets: memory.move(offsets), block: block)
  }

  var count: Int { offsets.count - 1 }
  var layout: String { "encoded streams" + (block.isDirect ? "" : ", read through HDF5") }
  var fixedKind: StoredImage? { nil }

  func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage {
    let start = Int(offsets[index])
    bytes.resize(to: Int(offsets[index + 1]) - start)
    try bytes.withUnsafeMutableBytes { try block.read(at: start, into: $0) }
    return .encoded
  }
}

/// A one-dimensional dataset of bytes.
enum ByteBlock: Sendable {
  /// One run of the file.
  case direct(FileReader, base: Int)
  /// Chunked or filtered.
  case dataset(HDF5Dataset)

  init(_ dataset: HDF5Dataset, _ reader: FileReader) {
    if let range = dataset.byteRange {
      self = .direct(reader, base: range.lowerBound)
    } else {
      self = .dataset(dataset)
    }
  }

  var isDirect: Bool {
    if case .direct = self { return true }
    return false
  }

  func read(at start: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    guard !buffer.isEmpty else { return }
    switch self {
    case .direct(let reader, let base):
      try reader.read(at: base + start, into: buffer)
    case .dataset(let dataset):
      try dataset.read(UInt8.self, from: [start], count: [buffer.count], into: buffer)
    }
  }
}

/// One variable-length row of bytes for every image (fuel's ILSVRC2012).
struct RowImages: ShardImages {
  let count: Int
  private let first: Int
  private let rows: HDF5Dataset
  /// Finds rows without HDF5; nil if they are stored in an unusual way.
  private let heap: HDF5HeapRows?

  init(_ rows: HDF5Dataset, _ range: Range<Int>, _ reader: FileReader) throws {
    self.rows = rows
    count = range.count
    first = range.lowerBound
    heap = try HDF5HeapRows(rows, reader)
  }

  var layout: String {
    "encoded, one variable-length row an image" + (heap == nil ? " (read through HDF5)" : "")
  }

  var fixedKind: StoredImage? { nil }

  func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage {
    if let heap {
      try heap.read(first + index, into: &bytes)
    } else {
      try rows.readVariableLength(first + index, into: &bytes)
    }
    return .encoded
  }
}
