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
  /// First byte in the file of a contiguous dataset; nil if it is chunked, has never been written or
  /// does not fit in the file.
  public var byteOffset: Int? {
    guard chunk.isEmpty, let bytes = storedBytes else { return nil }
    let address = HDF5Library.locked { H5Dget_offset(id) }
    guard address != chdf5_undefined_address(), let offset = Int(exactly: address),
      bytes <= file.size, offset <= file.size - bytes
    else { return nil }
    return offset
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
    return try HDF5Library.locked {
      let space = try HDF5Library.check(H5Dget_space(id), path: label, "has no readable shape")
      defer { H5Sclose(space) }
      return try (0..<chunkCount).map { index in
        var origin = [hsize_t](repeating: 0, count: max(1, shape.count))
        var mask: UInt32 = 0
        var address: haddr_t = 0
        var bytes: hsize_t = 0
        try HDF5Library.check(
          H5Dget_chunk_info(id, space, hsize_t(index), &origin, &mask, &address, &bytes),
          path: label, "chunk \(index) cannot be found")
        guard let offset = Int(exactly: address), let count = Int(exactly: bytes),
          count <= file.size, offset <= file.size - count
        else {
          throw ArchiveError.bad(
            label, "chunk \(index) lies outside the file", remedy: "Copy or make the file again")
        }
        let corner = origin.prefix(shape.count).map { Int(clamping: $0) }
        return HDF5ChunkLocation(origin: corner, offset: offset, count: count)
      }
    }
  }
}
