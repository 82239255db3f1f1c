import CHDF5

extension HDF5File {
  /// Creates a dataset of numbers; groups in the name must exist.
  ///
  /// - Parameters:
  ///   - chunk: shape of a chunk; empty for one contiguous block.
  ///   - isExtendible: whether `append` may enlarge the first axis; needs chunks.
  ///   - deflate: level 1...9 of compression, 0 for none; needs chunks.
  @discardableResult
  public func create<Value: HDF5Number>(
    _ name: String, of type: Value.Type, shape: [Int], chunk: [Int] = [],
    isExtendible: Bool = false, deflate: Int = 0
  ) throws -> HDF5Dataset {
    try create(
      name, type: { Value.hdf5Native }, shape: shape, chunk: chunk, isExtendible: isExtendible,
      deflate: deflate)
  }

  /// Creates a contiguous dataset and writes all its values.
  public func write<Value: HDF5Number>(_ name: String, _ values: [Value], shape: [Int]) throws {
    precondition(shape.checkedProduct == values.count, "\(path): \(name): shape \(shape)")
    let dataset = try create(name, of: Value.self, shape: shape)
    try dataset.write(values, at: shape.map { _ in 0 }, count: shape)
  }

  /// Creates an empty group; those above it must exist.
  public func createGroup(_ name: String) throws {
    try HDF5Library.locked {
      let group = try HDF5Library.check(
        H5Gcreate2(id, name, chdf5_default(), chdf5_default(), chdf5_default()), .inputOutput,
        path: path, "group \(name) cannot be created")
      H5Gclose(group)
    }
  }

  func create(
    _ name: String, type: () -> hid_t, shape: [Int], chunk: [Int] = [], isExtendible: Bool = false,
    deflate: Int = 0
  ) throws -> HDF5Dataset {
    precondition(chunk.isEmpty ? !isExtendible && deflate == 0 : chunk.count == shape.count)
    try HDF5Library.locked {
      let extents = shape.map { hsize_t($0) }
      var limits = extents
      if isExtendible { limits[0] = chdf5_unlimited() }
      let space = H5Screate_simple(Int32(shape.count), extents, limits)
      defer { H5Sclose(space) }
      let creation = H5Pcreate(chdf5_class_dataset_create())
      defer { H5Pclose(creation) }
      H5Pset_obj_track_times(creation, false)
      if !chunk.isEmpty { H5Pset_chunk(creation, Int32(chunk.count), chunk.map { hsize_t($0) }) }
      // Space for every chunk at once, in order: then no index is needed and reads can skip HDF5.
      if !chunk.isEmpty, !isExtendible, deflate == 0 {
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY)
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER)
      }
      if deflate > 0 { H5Pset_deflate(creation, UInt32(deflate)) }
      let dataset = try HDF5Library.check(
        H5Dcreate2(id, name, type(), space, chdf5_default(), creation, chdf5_default()),
        .inputOutput, path: path, "dataset \(name) cannot be created")
      H5Dclose(dataset)
    }
    return try HDF5Dataset(name, of: self)
  }
}

extension HDF5Dataset {
  /// Writes a box of `count` elements from `start` on.
  public func write<Value: HDF5Number>(
    _ values: [Value], at start: [Int], count: [Int]
  ) throws {
    try values.withUnsafeBytes { try write(Value.self, $0, at: start, count: count) }
  }

  /// Writes a box from raw memory holding `Value`s in row-major order.
  public func write<Value: HDF5Number>(
    _ type: Value.Type, _ values: UnsafeRawBufferPointer, at start: [Int], count: [Int]
  ) throws {
    let elements = try checkBox(start, count)
    precondition(elements * MemoryLayout<Value>.stride == values.count, "\(label): box \(count)")
    guard elements > 0 else { return }
    try transfer(from: start, count: count) { memory, selection in
      H5Dwrite(id, Value.hdf5Native, memory, selection, chdf5_default(), values.baseAddress)
    }
  }

  /// Enlarges the first axis by `rows` and writes them.
  public func append<Value: HDF5Number>(
    _ type: Value.Type, _ values: UnsafeRawBufferPointer, rows: Int
  ) throws {
    let start = [shape[0]] + shape.dropFirst().map { _ in 0 }
    let enlarged = [shape[0] + rows] + shape.dropFirst()
    _ = try HDF5Library.locked {
      try HDF5Library.check(
        H5Dset_extent(id, enlarged.map { hsize_t($0) }), .inputOutput, path: label,
        "cannot be enlarged")
    }
    shape = enlarged
    try write(type, values, at: start, count: [rows] + enlarged.dropFirst())
  }
}
