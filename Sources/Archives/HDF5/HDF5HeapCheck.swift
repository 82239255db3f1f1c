/// Looks for damaged heaps before HDF5 reads strings or rows of variable length from them.
///
/// HDF5 1.10 loops for ever, or overwrites memory, when the size of an object in a heap is wrong.
/// Heaps begin with a signature; those of attributes lie near the beginning or the end of a file, so
/// these parts are searched, and every heap found must be filled to its end by its objects.
enum HDF5HeapCheck {
  private static let signature: UInt64 = 0x0000_0001_4C4F_4347  // "GCOL", version 1
  private static let searchedBytes = 8 << 20

  static func run(_ path: String) throws {
    let reader = try FileReader(path)
    let first = try reader.bytes(at: 0, count: min(searchedBytes, reader.size))
    try check(first, reader)
    let rest = max(first.count, reader.size - searchedBytes)
    if rest < reader.size { try check(reader.bytes(at: rest, count: reader.size - rest), reader) }
  }

  private static func check(_ bytes: [UInt8], _ reader: FileReader) throws {
    try bytes.withUnsafeBytes { bytes in
      for position in 0..<max(0, bytes.count - 15)
      where bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) == signature {
        let size = bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
        // A heap that goes on beyond the part that was read is not looked into.
        guard size <= UInt64(reader.size) else { throw damaged(reader.path) }
        guard let end = Int(exactly: size).map({ position + $0 }), end <= bytes.count else {
          continue
        }
        guard isFilled(bytes, from: position + 16, to: end) else { throw damaged(reader.path) }
      }
    }
  }

  /// Whether objects follow one another to the end; object 0 is free room and the last.
  private static func isFilled(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int)
    -> Bool
  {
    var position = start
    while position + 16 <= end {
      let number = bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self)
      let size = bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
      guard let size = Int(exactly: size), size <= end - position else { return false }
      // The size of free room includes its own header.
      if number == 0 { return size == end - position }
      let next = position + 16 + ((size + 7) & ~7)
      guard next <= end else { return false }
      position = next
    }
    return true
  }

  private static func damaged(_ path: String) -> ArchiveError {
    .bad(path, "a heap of variable-length values is damaged", remedy: "Copy or make the file again")
  }
}
