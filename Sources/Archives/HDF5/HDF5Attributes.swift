import CHDF5

/// The small named values that a file or dataset carries.
public struct HDF5Attributes {
  /// Keeps the file or dataset open.
  private let owner: AnyObject
  private let file: HDF5File
  let id: hid_t
  let label: String

  init(of owner: AnyObject, in file: HDF5File, id: hid_t, label: String) {
    self.owner = owner
    self.file = file
    self.id = id
    self.label = label
  }

  public func contains(_ name: String) -> Bool {
    HDF5Library.locked { H5Aexists(id, name) > 0 }
  }

  /// A string, or nil if there is no attribute of that name.
  public func string(_ name: String) throws -> String? { try strings(name)?.first }

  /// Strings of an array attribute (one for a scalar), or nil if there is none of that name.
  public func strings(_ name: String) throws -> [String]? {
    try reading(name) { attribute, type, count in
      if H5Tis_variable_str(type) > 0 { try file.checkHeaps() }
      return try HDF5StringType.read(type, count, "\(label): \(name)") {
        memoryType, buffer in
        try HDF5Library.check(
          H5Aread(attribute, memoryType, buffer), path: label, "attribute \(name) cannot be read")
      }
    }
  }

  /// An integer, or nil if there is no attribute of that name.
  public func integer(_ name: String) throws -> Int? { try integers(name)?.first }

  /// Integers of an array attribute (one for a scalar), or nil if there is none of that name.
  public func integers(_ name: String) throws -> [Int]? {
    try reading(name) { attribute, type, count in
      guard HDF5ElementType(type: type).isInteger else {
        throw ArchiveError.bad(
          label, "attribute \(name) holds \(HDF5ElementType(type: type)), not an integer",
          remedy: "Write it as an integer")
      }
      var values = [Int](repeating: 0, count: count)
      try HDF5Library.check(
        H5Aread(attribute, chdf5_native_int64(), &values), path: label,
        "attribute \(name) cannot be read")
      return values
    }
  }

  /// Runs `body` with an open attribute, its type and its number of elements.
  func reading<R>(_ name: String, _ body: (hid_t, hid_t, Int) throws -> R) throws -> R? {
    try HDF5Library.locked {
      guard H5Aexists(id, name) > 0 else { return nil }
      let attribute = try HDF5Library.check(
        H5Aopen(id, name, chdf5_default()), path: label, "attribute \(name) cannot be opened")
      defer { H5Aclose(attribute) }
      let type = try HDF5Library.check(
        H5Aget_type(attribute), path: label, "attribute \(name) has no readable type")
      defer { H5Tclose(type) }
      let space = try HDF5Library.check(
        H5Aget_space(attribute), path: label, "attribute \(name) has no readable shape")
      defer { H5Sclose(space) }
      let count = H5Sget_simple_extent_npoints(space)
      guard (0...(1 << 24)).contains(count) else {
        throw ArchiveError.bad(
          label, "attribute \(name) claims \(count) elements", remedy: "Make the file again")
      }
      return try body(attribute, type, Int(count))
    }
  }
}

extension HDF5Attributes {
  /// Writes a scalar string, in place of one of that name.
  public func write(_ name: String, _ value: String) throws {
    try HDF5Library.locked {
      let type = HDF5StringType.variable()
      defer { H5Tclose(type) }
      try value.withCString { text in
        var pointer: UnsafePointer<CChar>? = text
        try write(name, type: type, space: H5Screate(H5S_SCALAR), &pointer)
      }
    }
  }

  /// Writes an array of strings, in place of one of that name.
  public func write(_ name: String, _ values: [String]) throws {
    try HDF5Library.locked {
      let type = HDF5StringType.variable()
      defer { H5Tclose(type) }
      // One block of all texts with their final zeros, and a pointer to the start of each.
      let block = values.flatMap { Array($0.utf8CString) }
      var extent = hsize_t(values.count)
      try block.withUnsafeBufferPointer { block in
        var start = 0
        var pointers: [UnsafePointer<CChar>?] = []
        for value in values {
          pointers.append(block.baseAddress! + start)
          start += value.utf8.count + 1
        }
        try write(name, type: type, space: H5Screate_simple(1, &extent, nil), &pointers)
      }
    }
  }

  /// Writes a scalar integer (int64), in place of one of that name.
  public func write(_ name: String, _ value: Int) throws {
    try HDF5Library.locked {
      var value = Int64(value)
      try write(name, type: chdf5_native_int64(), space: H5Screate(H5S_SCALAR), &value)
    }
  }

  private func write(
    _ name: String, type: hid_t, space: hid_t, _ value: UnsafeRawPointer
  ) throws {
    defer { H5Sclose(space) }
    if H5Aexists(id, name) > 0 { H5Adelete(id, name) }
    let attribute = try HDF5Library.check(
      H5Acreate2(id, name, type, space, chdf5_default(), chdf5_default()), .inputOutput,
      path: label, "attribute \(name) cannot be created")
    defer { H5Aclose(attribute) }
    try HDF5Library.check(
      H5Awrite(attribute, type, value), .inputOutput, path: label,
      "attribute \(name) cannot be written")
  }
}
