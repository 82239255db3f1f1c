import CHDF5

/// Where a chunk without filters lies in its file.
public struct HDF5ChunkLocation: Sendable, Equatable {
  /// Index of the chunk's first element along every axis.
  public var origin: [Int]
  /// First byte in the file, and number of bytes.
  public var offset: Int
  public var count: Int
}

extension HDF5Dataset {
  /// Where all elements lie in the file, one after the other: contiguous datasets, and those in
  /// chunks that `HDF5File.Format.since1_10` allocated early. nil for others, for those never
  /// written and for those that do not fit in the file.
  public var byteRange: Range<Int>? {
    guard let bytes = storedBytes, bytes > 0 else { return nil }
    guard let offset = chunk.isEmpty ? contiguousOffset : orderedChunksOffset else { return nil }
    guard file.size == 0 || (bytes <= file.size && offset <= file.size - bytes) else { return nil }
    return offset..<offset + bytes
  }

  private var contiguousOffset: Int? {
    let address = HDF5Library.locked { H5Dget_offset(id) }
    return address == chdf5_undefined_address() ? nil : Int(exactly: address)
  }

  /// First byte of chunks of one row each that lie end to end.
  ///
  /// Such chunks have no index if they were allocated early; then the first and the last tell where
  /// all are. Other indices stand between their chunks, which shows in the distance.
  private var orderedChunksOffset: Int? {
    guard filters.isEmpty, chunk.first == 1, chunk.dropFirst().elementsEqual(shape.dropFirst()),
      hasEarlyChunks, let rows = shape.first, chunkCount == rows,
      let first = try? chunkLocation(0), let last = try? chunkLocation(rows - 1),
      first.origin[0] == 0, last.origin[0] == rows - 1,
      last.offset - first.offset == (rows - 1) * first.count
    else { return nil }
    return first.offset
  }

  private var hasEarlyChunks: Bool {
    HDF5Library.locked {
      let creation = H5Dget_create_plist(id)
      defer { H5Pclose(creation) }
      var time = H5D_ALLOC_TIME_ERROR
      return H5Pget_alloc_time(creation, &time) >= 0 && time == H5D_ALLOC_TIME_EARLY
    }
  }

  /// Bytes of all elements as they are stored without filters.
  private var storedBytes: Int? {
    let element = HDF5Library.locked {
      let type = H5Dget_type(id)
      defer { H5Tclose(type) }
      return H5Tget_size(type)
    }
    return (shape + [element]).checkedProduct
  }

  /// Number of chunks written.
  public var chunkCount: Int {
    HDF5Library.locked {
      let space = H5Dget_space(id)
      defer { H5Sclose(space) }
      var count: hsize_t = 0
      guard !chunk.isEmpty, H5Dget_num_chunks(id, space, &count) >= 0 else { return 0 }
      return Int(clamping: count)
    }
  }

  /// Where the chunks lie, in the order of the file's index; nil if chunks pass filters.
  ///
  /// HDF5 1.10 walks its index anew for every chunk, so the time grows with the square of their
  /// number: 0.1 s for 4,000.
  public func chunkLocations() throws -> [HDF5ChunkLocation]? {
    guard !chunk.isEmpty, filters.isEmpty else { return nil }
    return try (0..<chunkCount).map(chunkLocation)
  }

  private func chunkLocation(_ index: Int) throws -> HDF5ChunkLocation {
    try HDF5Library.locked {
      let space = try HDF5Library.check(H5Dget_space(id), path: label, "has no readable shape")
      defer { H5Sclose(space) }
      var origin = [hsize_t](repeating: 0, count: max(1, shape.count))
      var mask: UInt32 = 0
      var address: haddr_t = 0
      var bytes: hsize_t = 0
      try HDF5Library.check(
        H5Dget_chunk_info(id, space, hsize_t(index), &origin, &mask, &address, &bytes),
        path: label, "chunk \(index) cannot be found")
      guard let offset = Int(exactly: address), let count = Int(exactly: bytes),
        file.size == 0 || (count <= file.size && offset <= file.size - count)
      else {
        throw ArchiveError.bad(
          label, "chunk \(index) lies outside the file", remedy: "Copy or make the file again")
      }
      let corner = origin.prefix(shape.count).map { Int(clamping: $0) }
      return HDF5ChunkLocation(origin: corner, offset: offset, count: count)
    }
  }
}
