import CHDF5

/// What a dataset or attribute holds, as far as readers care.
public enum HDF5ElementType: Equatable, Sendable, CustomStringConvertible {
  case integer(bytes: Int, signed: Bool)
  case floatingPoint(bytes: Int)
  case fixedString(bytes: Int)
  case variableString
  /// Rows of their own length each; `bytes` of one element.
  case variableLength(bytes: Int, isByteLike: Bool)
  case compound(members: [String])
  case other

  public var isInteger: Bool {
    if case .integer = self { return true }
    return false
  }

  public var description: String {
    switch self {
    case .integer(let bytes, let signed): (signed ? "int" : "uint") + "\(8 * bytes)"
    case .floatingPoint(let bytes): "float\(8 * bytes)"
    case .fixedString(let bytes): "string of \(bytes) bytes"
    case .variableString: "variable-length string"
    case .variableLength(let bytes, _): "variable-length array of \(8 * bytes)-bit elements"
    case .compound(let members): "compound of \(members.joined(separator: ", "))"
    case .other: "a type that vitdist does not read"
    }
  }

  /// Of an open HDF5 type; to be called behind the gate.
  init(type: hid_t) {
    let bytes = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER:
      self = .integer(bytes: bytes, signed: H5Tget_sign(type) == H5T_SGN_2)
    case H5T_FLOAT:
      self = .floatingPoint(bytes: bytes)
    case H5T_STRING:
      self = H5Tis_variable_str(type) > 0 ? .variableString : .fixedString(bytes: bytes)
    case H5T_VLEN:
      let element = H5Tget_super(type)
      defer { H5Tclose(element) }
      let isInteger = H5Tget_class(element) == H5T_INTEGER
      self = .variableLength(
        bytes: H5Tget_size(element), isByteLike: isInteger && H5Tget_size(element) == 1)
    case H5T_COMPOUND:
      self = .compound(members: Self.memberNames(of: type))
    default:
      self = .other
    }
  }

  private static func memberNames(of type: hid_t) -> [String] {
    let count = max(0, H5Tget_nmembers(type))
    return (0..<count).map { index in
      guard let name = H5Tget_member_name(type, UInt32(index)) else { return "" }
      defer { H5free_memory(name) }
      return String(cString: name)
    }
  }
}

/// A compression or checksum stage of a chunked dataset, by HDF5's number.
public enum HDF5Filter {
  static func name(_ code: H5Z_filter_t) -> String {
    switch code {
    case 1: "deflate"
    case 2: "shuffle"
    case 3: "fletcher32"
    case 4: "szip"
    case 5: "nbit"
    case 6: "scaleoffset"
    case 32000: "lzf"
    case 32001: "blosc"
    case 32015: "zstd"
    default: "filter \(code)"
    }
  }
}
