import CHDF5

extension HDF5File {
  /// Creates a dataset of UTF-8 strings of one fixed length, padded with zeros.
  public func writeStrings(_ name: String, _ strings: [String]) throws {
    let width = max(1, strings.map(\.utf8.count).max() ?? 1)
    var bytes = [UInt8](repeating: 0, count: strings.count * width)
    for (row, string) in strings.enumerated() {
      for (column, byte) in string.utf8.enumerated() { bytes[row * width + column] = byte }
    }
    try HDF5Library.locked {
      let type = HDF5StringType.fixed(width)
      defer { H5Tclose(type) }
      let dataset = try create(name, type: { type }, shape: [strings.count])
      guard !strings.isEmpty else { return }
      try dataset.transfer(from: [0], count: [strings.count]) { memory, selection in
        H5Dwrite(dataset.id, type, memory, selection, chdf5_default(), bytes)
      }
    }
  }

  /// Creates a dataset of rows of bytes of any length each (the layout of fuel).
  public func writeVariableLength(_ name: String, _ rows: [[UInt8]]) throws {
    try HDF5Library.locked {
      let type = H5Tvlen_create(chdf5_native_uint8())
      defer { H5Tclose(type) }
      let dataset = try create(name, type: { type }, shape: [rows.count])
      for (index, row) in rows.enumerated() {
        try row.withUnsafeBytes { bytes in
          var value = hvl_t(len: row.count, p: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
          try dataset.transfer(from: [index], count: [1]) { memory, selection in
            H5Dwrite(dataset.id, type, memory, selection, chdf5_default(), &value)
          }
        }
      }
    }
  }
}

extension HDF5Dataset {
  /// Reads rows of a one-dimensional (or `[N, 1]`) dataset of fixed or variable-length strings.
  public func readStrings(_ rows: Range<Int>? = nil) throws -> [String] {
    let rows = rows ?? 0..<(shape.first ?? 1)
    let start = shape.isEmpty ? [] : [rows.lowerBound] + shape.dropFirst().map { _ in 0 }
    let count = shape.isEmpty ? [] : [rows.count] + shape.dropFirst()
    let elements = try checkBox(start, count)
    guard elements > 0 else { return [] }
    if type == .variableString { try file.checkHeaps() }
    return try HDF5Library.locked {
      let stored = H5Dget_type(id)
      defer { H5Tclose(stored) }
      return try HDF5StringType.read(stored, elements, label) { memoryType, buffer in
        try transfer(from: start, count: count) { memory, selection in
          H5Dread(id, memoryType, memory, selection, chdf5_default(), buffer)
        }
      }
    }
  }
}

/// Strings as HDF5 hands them over; all to be called behind the gate.
enum HDF5StringType {
  /// A fixed length of bytes, UTF-8, padded with zeros. To be closed by the caller.
  static func fixed(_ bytes: Int, _ characters: H5T_cset_t = H5T_CSET_UTF8) -> hid_t {
    let type = H5Tcopy(chdf5_c_string())
    H5Tset_size(type, bytes)
    H5Tset_strpad(type, H5T_STR_NULLPAD)
    H5Tset_cset(type, characters)
    return type
  }

  /// Any length, UTF-8. To be closed by the caller.
  static func variable(_ characters: H5T_cset_t = H5T_CSET_UTF8) -> hid_t {
    let type = H5Tcopy(chdf5_c_string())
    H5Tset_size(type, chdf5_variable())
    H5Tset_cset(type, characters)
    return type
  }

  /// Reads `count` strings by `fetch`, which fills a buffer of elements of the memory type it is
  /// given. HDF5 does not convert between ASCII and UTF-8, so the memory type follows the `stored`
  /// one.
  static func read(
    _ stored: hid_t, _ count: Int, _ label: String,
    _ fetch: (hid_t, UnsafeMutableRawPointer) throws -> Void
  ) throws -> [String] {
    let type = HDF5ElementType(type: stored)
    switch type {
    case .fixedString(let width):
      return try readFixed(width, H5Tget_cset(stored), count, label, fetch)
    case .variableString: return try readVariable(H5Tget_cset(stored), count, fetch)
    default:
      throw ArchiveError.bad(label, "holds \(type), not strings", remedy: "Write it as strings")
    }
  }

  private static func readFixed(
    _ width: Int, _ characters: H5T_cset_t, _ count: Int, _ label: String,
    _ fetch: (hid_t, UnsafeMutableRawPointer) throws -> Void
  ) throws -> [String] {
    guard let bytes = [width, count].checkedProduct, bytes < 1 << 32 else {
      throw ArchiveError.bad(
        label, "claims \(count) strings of \(width) bytes", remedy: "Copy or make the file again")
    }
    let memoryType = fixed(width, characters)
    defer { H5Tclose(memoryType) }
    var text = [UInt8](repeating: 0, count: bytes)
    try text.withUnsafeMutableBytes { try fetch(memoryType, $0.baseAddress!) }
    return (0..<count).map { row in
      let field = text[row * width..<(row + 1) * width]
      return String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func readVariable(
    _ characters: H5T_cset_t, _ count: Int,
    _ fetch: (hid_t, UnsafeMutableRawPointer) throws -> Void
  ) throws -> [String] {
    let memoryType = variable(characters)
    defer { H5Tclose(memoryType) }
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    return try pointers.withUnsafeMutableBytes { buffer in
      try fetch(memoryType, buffer.baseAddress!)
      var extent = hsize_t(count)
      let space = H5Screate_simple(1, &extent, nil)
      defer {
        H5Dvlen_reclaim(memoryType, space, chdf5_default(), buffer.baseAddress!)
        H5Sclose(space)
      }
      return buffer.bindMemory(to: UnsafeMutablePointer<CChar>?.self).map { pointer in
        pointer.map { String(cString: $0) } ?? ""
      }
    }
  }
}
