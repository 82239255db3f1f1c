import CHDF5

extension HDF5Dataset {
  /// Reads everything, converted to `Value`.
  public func read<Value: HDF5Number>(as type: Value.Type = Value.self) throws -> [Value] {
    try read(from: shape.map { _ in 0 }, count: shape)
  }

  /// Reads the box of `count` elements from `start` on, in row-major order, converted to `Value`.
  public func read<Value: HDF5Number>(
    as type: Value.Type = Value.self, from start: [Int], count: [Int]
  ) throws -> [Value] {
    let elements = try checkBox(start, count)
    var values = [Value](repeating: .zero, count: elements)
    try values.withUnsafeMutableBytes { try read(Value.self, from: start, count: count, into: $0) }
    return values
  }

  /// Reads a box into `buffer`, which holds at least as many values as the box has.
  public func read<Value: HDF5Number>(
    _ type: Value.Type, from start: [Int], count: [Int], into buffer: UnsafeMutableRawBufferPointer
  ) throws {
    let elements = try checkBox(start, count)
    precondition(elements * MemoryLayout<Value>.stride <= buffer.count, "\(label): short buffer")
    guard elements > 0 else { return }
    switch self.type {
    case .integer, .floatingPoint: break
    default:
      throw ArchiveError.bad(
        label, "holds \(self.type), not numbers", remedy: "Give a dataset of numbers")
    }
    try transfer(from: start, count: count) { memory, selection in
      H5Dread(id, Value.hdf5Native, memory, selection, chdf5_default(), buffer.baseAddress)
    }
  }

  /// Reads row `index` of a variable-length dataset of bytes into `bytes`, whose capacity is kept.
  public func readVariableLength(_ index: Int, into bytes: inout [UInt8]) throws {
    guard case .variableLength(_, true) = type else {
      throw ArchiveError.bad(
        label, "holds \(type), not variable-length bytes", remedy: "Give a dataset of byte strings")
    }
    try file.checkHeaps()
    let start = [index] + shape.dropFirst().map { _ in 0 }
    let one = shape.map { _ in 1 }
    _ = try checkBox(start, one)
    var row = hvl_t()
    try HDF5Library.locked {
      let memoryType = H5Tvlen_create(chdf5_native_uint8())
      defer { H5Tclose(memoryType) }
      try transfer(from: start, count: one) { memory, selection in
        H5Dread(id, memoryType, memory, selection, chdf5_default(), &row)
      }
      defer { reclaim(&row, memoryType) }
      guard row.len <= file.size || file.size == 0 else {
        throw ArchiveError.bad(
          label, "row \(index) claims \(row.len) bytes in a file of \(file.size)",
          remedy: "The file is damaged: copy or make it again")
      }
      bytes.removeAll(keepingCapacity: true)
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: row.p, count: row.len))
    }
  }

  private func reclaim(_ row: inout hvl_t, _ memoryType: hid_t) {
    var one: hsize_t = 1
    let space = H5Screate_simple(1, &one, nil)
    H5Dvlen_reclaim(memoryType, space, chdf5_default(), &row)
    H5Sclose(space)
  }

  /// Runs `body` with a memory space and a selection of the box.
  func transfer(
    from start: [Int], count: [Int], _ body: (_ memory: hid_t, _ selection: hid_t) -> herr_t
  ) throws {
    try HDF5Library.locked {
      let selection = try HDF5Library.check(H5Dget_space(id), path: label, "has no readable shape")
      defer { H5Sclose(selection) }
      var extents = count.map { hsize_t($0) }
      let memory = H5Screate_simple(Int32(count.count), &extents, nil)
      defer { H5Sclose(memory) }
      if !count.isEmpty {
        H5Sselect_hyperslab(selection, H5S_SELECT_SET, start.map { hsize_t($0) }, nil, extents, nil)
      }
      try HDF5Library.check(body(memory, selection), path: label, "cannot be read or written")
    }
  }

  /// Elements of a box, if it lies inside the dataset and its bytes can be true of this file.
  func checkBox(_ start: [Int], _ count: [Int]) throws -> Int {
    let isInside =
      start.count == shape.count && count.count == shape.count
      && zip(zip(start, count), shape).allSatisfy { box, extent in
        box.0 >= 0 && box.1 >= 0 && box.1 <= extent && box.0 <= extent - box.1
      }
    precondition(isInside, "\(label): box \(start) + \(count) outside \(shape)")
    let elements = count.checkedProduct ?? .max
    // Deflate shrinks to a thousandth at best: a larger claim comes from a damaged header.
    guard file.size == 0 || elements <= max(1 << 20, file.size.multipliedClamping(by: 1100)) else {
      throw ArchiveError.bad(
        label, "claims \(elements) elements in a file of \(file.size) bytes",
        remedy: "The file is damaged: copy or make it again")
    }
    return elements
  }
}

extension Int {
  fileprivate func multipliedClamping(by factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
