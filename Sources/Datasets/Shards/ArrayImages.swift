import Archives

/// Pixels of equal size in one uint8 dataset: [N, H, W, C], [N, C, H, W] or [N, H, W].
struct ArrayImages: ShardImages {
  private enum Place {
    /// One run of the file, images end to end.
    case run(FileReader, base: Int)
    /// First byte of every image.
    case scattered(FileReader, IndexTable<Int>)
    /// Filtered, or chunked in a way that cuts images.
    case dataset(HDF5Dataset)
  }

  let count: Int
  let width: Int
  let height: Int
  let channels: Int
  private let isPlanar: Bool
  private var place: Place
  private let first: Int
  private let shape: [Int]

  /// HDF5 1.10 needs time with the square of the number of chunks to tell where they lie.
  private static let chunkLimit = 4096

  init(_ dataset: HDF5Dataset, rows: Range<Int>, _ reader: FileReader) throws {
    shape = Array(dataset.shape.dropFirst())
    (height, width, channels, isPlanar) = try Self.geometry(of: dataset)
    count = rows.count
    first = rows.lowerBound
    place = try Self.place(dataset, imageBytes: height * width * channels, reader)
  }

  private static func geometry(
    of dataset: HDF5Dataset
  ) throws -> (height: Int, width: Int, channels: Int, isPlanar: Bool) {
    let shape = dataset.shape
    guard dataset.type == .integer(bytes: 1, signed: false) else {
      throw ArchiveError.bad(
        dataset.label, "images are \(dataset.type), expected uint8",
        remedy: "Store pixels as uint8 in 0...255, or streams as variable-length uint8")
    }
    let channelCounts = [1, 3, 4]
    // A damaged header may claim any size; no image has a gigabyte.
    let isPossible = (1..<(1 << 30)).contains(Array(shape.dropFirst()).checkedProduct ?? 0)
    if shape.count == 3, isPossible { return (shape[1], shape[2], 1, false) }
    if shape.count == 4, isPossible {
      if channelCounts.contains(shape[3]) { return (shape[1], shape[2], shape[3], false) }
      if channelCounts.contains(shape[1]) { return (shape[2], shape[3], shape[1], true) }
    }
    throw ArchiveError.bad(
      dataset.label,
      "images have shape \(shape), expected [N, H, W, C], [N, C, H, W] or [N, H, W] "
        + "with 1, 3 or 4 channels", remedy: "Reshape the dataset")
  }

  private static func place(
    _ dataset: HDF5Dataset, imageBytes: Int, _ reader: FileReader
  ) throws -> Place {
    if let range = dataset.byteRange { return .run(reader, base: range.lowerBound) }
    guard dataset.chunk.dropFirst().elementsEqual(dataset.shape.dropFirst()),
      dataset.filters.isEmpty, dataset.chunkCount <= chunkLimit,
      let chunks = try dataset.chunkLocations()
    else { return .dataset(dataset) }
    var positions = [Int](repeating: -1, count: dataset.shape[0])
    for chunk in chunks where chunk.count == dataset.chunk[0] * imageBytes {
      let start = min(chunk.origin[0], positions.count)
      for row in start..<min(start + dataset.chunk[0], positions.count) {
        positions[row] = chunk.offset + (row - start) * imageBytes
      }
    }
    // Chunks that were never written have no place; HDF5 supplies their fill value.
    return positions.contains(-1) ? .dataset(dataset) : .scattered(reader, IndexTable(positions))
  }

  var indexBytes: Int {
    if case .scattered(_, let positions) = place { return positions.roundedBytes }
    return 0
  }

  func moving(into memory: IndexMemory) -> ArrayImages {
    guard case .scattered(let reader, let positions) = place else { return self }
    var copy = self
    copy.place = .scattered(reader, memory.move(positions))
    return copy
  }

  var fixedKind: StoredImage? { .raw(width: width, height: height, channels: channels) }

  var layout: String {
    let size = isPlanar ? "\(channels)x\(height)x\(width)" : "\(height)x\(width)x\(channels)"
    if case .dataset(let dataset) = place {
      let filters = dataset.filters.isEmpty ? "" : ", " + dataset.filters.joined(separator: ", ")
      return "raw \(size) (read through HDF5\(filters))"
    }
    return "raw \(size)"
  }

  func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage {
    let size = height * width * channels
    // Planes are read into the second half and woven into the first.
    let isWoven = isPlanar && channels > 1
    bytes.resize(to: isWoven ? 2 * size : size)
    try bytes.withUnsafeMutableBytes { buffer in
      let target = UnsafeMutableRawBufferPointer(rebasing: buffer.suffix(size))
      try fetch(first + index, into: target)
      if isWoven { weave(target, into: buffer.baseAddress!) }
    }
    bytes.resize(to: size)
    return .raw(width: width, height: height, channels: channels)
  }

  private func fetch(_ row: Int, into target: UnsafeMutableRawBufferPointer) throws {
    switch place {
    case .run(let reader, let base):
      try reader.read(at: base + row * target.count, into: target)
    case .scattered(let reader, let positions):
      try reader.read(at: positions[row], into: target)
    case .dataset(let dataset):
      try dataset.read(
        UInt8.self, from: [row] + shape.map { _ in 0 }, count: [1] + shape, into: target)
    }
  }

  private func weave(_ planes: UnsafeMutableRawBufferPointer, into pixels: UnsafeMutableRawPointer)
  {
    let area = height * width
    let source = planes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let target = pixels.assumingMemoryBound(to: UInt8.self)
    for channel in 0..<channels {
      for pixel in 0..<area { target[pixel * channels + channel] = source[channel * area + pixel] }
    }
  }
}
