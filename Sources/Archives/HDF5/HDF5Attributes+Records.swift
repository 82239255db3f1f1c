import CHDF5

/// Some members of one element of a compound attribute.
public struct HDF5Record: Sendable, Equatable {
  public var strings: [String: String]
  public var integers: [String: Int]
}

extension HDF5Attributes {
  /// The named members of every element of a compound attribute, or nil if there is none of that
  /// name. String members are cut at 256 bytes.
  public func records(
    _ name: String, strings: [String], integers: [String]
  ) throws -> [HDF5Record]? {
    try reading(name) { attribute, type, count in
      guard case .compound(let members) = HDF5ElementType(type: type),
        (strings + integers).allSatisfy(members.contains)
      else {
        throw ArchiveError.bad(
          label,
          "attribute \(name) is \(HDF5ElementType(type: type)), expected a compound with "
            + (strings + integers).joined(separator: ", "), remedy: "Check it with h5ls -v")
      }
      try checkMembers(of: type, name)
      let width = 256
      let stride = width * strings.count + 8 * integers.count
      let memoryType = Self.compound(strings, width, integers, like: type)
      defer { H5Tclose(memoryType) }
      var bytes = [UInt8](repeating: 0, count: max(1, stride * count))
      try HDF5Library.check(
        H5Aread(attribute, memoryType, &bytes), path: label, "attribute \(name) cannot be read")
      return (0..<count).map { Self.record(bytes, at: $0 * stride, strings, width, integers) }
    }
  }

  /// HDF5 1.10 follows members that lie outside their record or are larger than they say.
  private func checkMembers(of type: hid_t, _ name: String) throws {
    let size = H5Tget_size(type)
    for index in 0..<UInt32(max(0, H5Tget_nmembers(type))) {
      let member = H5Tget_member_type(type, index)
      defer { H5Tclose(member) }
      let bytes = H5Tget_size(member)
      guard bytes <= size, H5Tget_member_offset(type, index) <= size - bytes,
        Self.isWhole(member, bytes)
      else {
        throw ArchiveError.bad(
          label, "attribute \(name) is damaged", remedy: "Copy or make the file again")
      }
    }
  }

  /// Whether the values of an enumeration are as large as it is.
  private static func isWhole(_ type: hid_t, _ bytes: Int) -> Bool {
    guard H5Tget_class(type) == H5T_ENUM else { return true }
    let base = H5Tget_super(type)
    defer { H5Tclose(base) }
    return H5Tget_size(base) == bytes
  }

  /// Strings first, then 64-bit integers, without gaps.
  private static func compound(
    _ strings: [String], _ width: Int, _ integers: [String], like stored: hid_t
  ) -> hid_t {
    let type = H5Tcreate(H5T_COMPOUND, width * strings.count + 8 * integers.count)
    for (index, name) in strings.enumerated() {
      let member = H5Tget_member_type(stored, UInt32(max(0, H5Tget_member_index(stored, name))))
      let text = HDF5StringType.fixed(width, H5Tget_cset(member))
      H5Tinsert(type, name, index * width, text)
      H5Tclose(text)
      H5Tclose(member)
    }
    for (index, name) in integers.enumerated() {
      H5Tinsert(type, name, strings.count * width + 8 * index, chdf5_native_int64())
    }
    return type
  }

  private static func record(
    _ bytes: [UInt8], at start: Int, _ strings: [String], _ width: Int, _ integers: [String]
  ) -> HDF5Record {
    var record = HDF5Record(strings: [:], integers: [:])
    for (index, name) in strings.enumerated() {
      let field = bytes[start + index * width..<start + (index + 1) * width]
      record.strings[name] = String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
    for (index, name) in integers.enumerated() {
      let offset = start + strings.count * width + 8 * index
      record.integers[name] = bytes.withUnsafeBytes {
        $0.loadUnaligned(fromByteOffset: offset, as: Int.self)
      }
    }
    return record
  }
}
