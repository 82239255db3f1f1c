import CHDF5

/// An array in an HDF5 file.
public final class HDF5Dataset: @unchecked Sendable {
  public let name: String
  public let type: HDF5ElementType
  /// Shape of one chunk; empty for one contiguous block.
  public let chunk: [Int]
  /// Names of the filters that chunks pass, e.g. `deflate`.
  public let filters: [String]
  /// Extent along every axis; `append` enlarges the first.
  public internal(set) var shape: [Int]
  let file: HDF5File
  let id: hid_t

  /// `file.h5: /name`, for messages.
  public var label: String { "\(file.path): \(name)" }
  public var elementCount: Int { shape.checkedProduct ?? 0 }

  init(_ name: String, of file: HDF5File) throws {
    self.name = name
    self.file = file
    let opened = try HDF5Library.locked { try Opened(name, of: file) }
    id = opened.id
    type = opened.type
    shape = opened.shape
    chunk = opened.chunk
    filters = opened.filters
  }

  deinit { _ = HDF5Library.locked { H5Dclose(id) } }

  public var attributes: HDF5Attributes { HDF5Attributes(of: self, in: file, id: id, label: label) }

  /// What HDF5 tells about a dataset when it is opened.
  private struct Opened {
    var id: hid_t
    var type: HDF5ElementType
    var shape: [Int]
    var chunk: [Int] = []
    var filters: [String] = []

    init(_ name: String, of file: HDF5File) throws {
      let label = "\(file.path): \(name)"
      guard file.isDataset(name) else {
        throw ArchiveError.bad(
          label, "there is no dataset of this name", remedy: "Look at the names with h5ls")
      }
      id = try HDF5Library.check(
        H5Dopen2(file.id, name, chdf5_default()), path: label, "the dataset cannot be opened")
      do {
        type = try Self.elementType(of: id, label)
        shape = try Self.shape(of: id, label)
        try readLayout(label)
      } catch {
        H5Dclose(id)
        throw error
      }
      try enlargeCache(name, of: file, label)
    }

    private static func elementType(of id: hid_t, _ label: String) throws -> HDF5ElementType {
      let type = try HDF5Library.check(H5Dget_type(id), path: label, "has no readable type")
      defer { H5Tclose(type) }
      return HDF5ElementType(type: type)
    }

    private static func shape(of id: hid_t, _ label: String) throws -> [Int] {
      let space = try HDF5Library.check(H5Dget_space(id), path: label, "has no readable shape")
      defer { H5Sclose(space) }
      let rank = try HDF5Library.check(
        H5Sget_simple_extent_ndims(space), path: label, "has no readable shape")
      var extents = [hsize_t](repeating: 0, count: max(1, Int(rank)))
      H5Sget_simple_extent_dims(space, &extents, nil)
      let shape = extents.prefix(Int(rank)).map { Int(clamping: $0) }
      guard shape.checkedProduct != nil else {
        throw ArchiveError.bad(
          label, "its shape \(shape) is impossible", remedy: "Copy or make the file again")
      }
      return shape
    }

    private mutating func readLayout(_ label: String) throws {
      let creation = try HDF5Library.check(
        H5Dget_create_plist(id), path: label, "has no readable layout")
      defer { H5Pclose(creation) }
      guard H5Pget_layout(creation) == H5D_CHUNKED else { return }
      var extents = [hsize_t](repeating: 0, count: max(1, shape.count))
      let rank = try HDF5Library.check(
        H5Pget_chunk(creation, Int32(shape.count), &extents), path: label, "has no readable chunks")
      chunk = extents.prefix(Int(rank)).map { Int(clamping: $0) }
      try checkChunk(label)
      for index in 0..<max(0, H5Pget_nfilters(creation)) {
        var flags: UInt32 = 0
        var count = 0
        var configuration: UInt32 = 0
        let code = H5Pget_filter2(
          creation, UInt32(index), &flags, &count, nil, 0, nil, &configuration)
        filters.append(HDF5Filter.name(code))
      }
    }

    /// HDF5 1.10 does not notice chunks larger than a dataset can become, and reads outside them.
    private func checkChunk(_ label: String) throws {
      let space = H5Dget_space(id)
      defer { H5Sclose(space) }
      var limits = [hsize_t](repeating: 0, count: max(1, shape.count))
      H5Sget_simple_extent_dims(space, nil, &limits)
      let isPossible =
        chunk.count == shape.count
        && zip(chunk, limits).allSatisfy { extent, limit in
          extent > 0 && (limit == chdf5_unlimited() || extent <= Int(clamping: limit))
        }
      guard isPossible else {
        throw ArchiveError.bad(
          label, "has chunks \(chunk), impossible for the shape \(shape)",
          remedy: "The file is damaged: copy or make it again")
      }
    }

    /// Filtered chunks larger than the cache are unpacked again for every image: 50 times slower.
    /// The cache is fixed when a dataset is opened, so it is opened again.
    private mutating func enlargeCache(_ name: String, of file: HDF5File, _ label: String) throws {
      guard !filters.isEmpty, let elements = chunk.checkedProduct else { return }
      let type = H5Dget_type(id)
      let (bytes, overflow) = elements.multipliedReportingOverflow(by: H5Tget_size(type))
      H5Tclose(type)
      guard !overflow, bytes > 1 << 18 else { return }
      let access = H5Pcreate(chdf5_class_dataset_access())
      defer { H5Pclose(access) }
      H5Pset_chunk_cache(access, 521, min(4 * bytes, 256 << 20), 0.75)
      H5Dclose(id)
      id = try HDF5Library.check(
        H5Dopen2(file.id, name, access), path: label, "the dataset cannot be opened")
    }
  }
}
