import CHDF5

/// Variable-length rows of bytes, read from where the file keeps them.
///
/// HDF5 1.10 trusts the lengths it finds in a file and overwrites memory if they are wrong; it is
/// also limited to one read at a time. A row is a length, the address of a heap and a number in it;
/// the heap is a list of numbered objects (HDF5 file format, III.E "Global Heap"). All of it is
/// checked here.
public struct HDF5HeapRows: Sendable {
  private let reader: FileReader
  private let label: String
  /// First byte of the reference to row 0, or of every row.
  private let references: References

  private enum References: Sendable {
    case run(Int)
    case scattered([Int])
  }

  private static let referenceBytes = 16
  private static let headerBytes = 16

  /// nil if the dataset is not of this kind, or not stored so that its rows can be found.
  public init?(_ dataset: HDF5Dataset, _ reader: FileReader) throws {
    guard case .variableLength(_, isByteLike: true) = dataset.type,
      dataset.shape.dropFirst().allSatisfy({ $0 == 1 }), Self.hasUsualAddresses(dataset.file)
    else { return nil }
    self.reader = reader
    label = dataset.label
    if let range = dataset.byteRange, range.count == dataset.shape[0] * Self.referenceBytes {
      references = .run(range.lowerBound)
      return
    }
    guard dataset.chunkCount <= 4096, let chunks = try dataset.chunkLocations() else { return nil }
    var positions = [Int](repeating: -1, count: dataset.shape[0])
    for chunk in chunks where chunk.count == dataset.chunk[0] * Self.referenceBytes {
      let start = min(chunk.origin[0], positions.count)
      for row in start..<min(start + dataset.chunk[0], positions.count) {
        positions[row] = chunk.offset + (row - start) * Self.referenceBytes
      }
    }
    guard !positions.contains(-1) else { return nil }
    references = .scattered(positions)
  }

  /// Eight bytes an address, counted from the beginning of the file.
  private static func hasUsualAddresses(_ file: HDF5File) -> Bool {
    HDF5Library.locked {
      let creation = H5Fget_create_plist(file.id)
      defer { H5Pclose(creation) }
      var address = 0
      var length = 0
      var userBlock: hsize_t = 1
      guard H5Pget_sizes(creation, &address, &length) >= 0,
        H5Pget_userblock(creation, &userBlock) >= 0
      else { return false }
      return address == 8 && length == 8 && userBlock == 0
    }
  }

  /// Reads a row into `bytes`, whose capacity is kept.
  public func read(_ row: Int, into bytes: inout [UInt8]) throws {
    let position =
      switch references {
      case .run(let start): start + row * Self.referenceBytes
      case .scattered(let positions): positions[row]
      }
    let reference = try words(at: position)
    let count = Int(UInt32(truncatingIfNeeded: reference.0))
    bytes.removeAll(keepingCapacity: true)
    guard count > 0 else { return }
    // The reference is packed: 4 bytes of length, 8 of address, 4 of number.
    let address = reference.0 >> 32 | reference.1 << 32
    let number = UInt16(truncatingIfNeeded: reference.1 >> 32)
    let start = try find(number, inHeapAt: address, count: count, row: row)
    bytes.append(contentsOf: repeatElement(0, count: count))
    try bytes.withUnsafeMutableBytes { try reader.read(at: start, into: $0) }
  }

  /// First byte of an object of a heap.
  private func find(
    _ number: UInt16, inHeapAt address: UInt64, count: Int, row: Int
  ) throws -> Int {
    guard let heap = Int(exactly: address), heap <= reader.size - Self.headerBytes else {
      throw damaged(row, "its heap would lie at byte \(address) of \(reader.size)")
    }
    let header = try words(at: heap)
    // "GCOL", then version 1 and three zeros.
    guard header.0 == 0x0000_0001_4C4F_4347, let size = Int(exactly: header.1),
      size <= reader.size - heap
    else { throw damaged(row, "there is no heap at byte \(heap)") }
    var position = heap + Self.headerBytes
    while position <= heap + size - Self.headerBytes {
      let object = try words(at: position)
      let room = heap + size - Self.headerBytes - position
      guard let bytes = Int(exactly: object.1), bytes <= room, object.0 & 0xFFFF != 0 else { break }
      position += Self.headerBytes
      if UInt16(truncatingIfNeeded: object.0) == number {
        guard bytes == count else {
          throw damaged(row, "has \(count) bytes, its heap says \(bytes)")
        }
        return position
      }
      position += (bytes + 7) & ~7
    }
    throw damaged(row, "is not in its heap")
  }

  private func words(at position: Int) throws -> (UInt64, UInt64) {
    var pair: (UInt64, UInt64) = (0, 0)
    try withUnsafeMutableBytes(of: &pair) { try reader.read(at: position, into: $0) }
    return pair
  }

  private func damaged(_ row: Int, _ problem: String) -> ArchiveError {
    .bad(label, "row \(row) \(problem)", remedy: "The file is damaged: copy or make it again")
  }
}
