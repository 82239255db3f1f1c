/// Where and what one tensor of a safetensors file is.
public struct SafeTensorInfo: Sendable, Equatable {
  public let name: String
  public let type: SafeTensorType
  public let shape: [Int]
  /// Bytes of the tensor, counted from the first byte of data.
  public let range: Range<Int>

  public var elementCount: Int { shape.checkedProduct ?? 0 }
}

/// The parsed header of a safetensors file, held against every rule of the format.
struct SafeTensorsHeader {
  var metadata: [String: String] = [:]
  /// In the order of their bytes.
  var tensors: [SafeTensorInfo] = []

  /// - Parameters:
  ///   - bytes: the JSON text with its padding.
  ///   - dataBytes: bytes of the file after the header.
  init(_ bytes: UnsafeRawBufferPointer, dataBytes: Int, path: String) throws {
    guard bytes.first == UInt8(ascii: "{") else {
      throw Self.bad(path, "the header does not begin with '{'")
    }
    let json: HeaderJSON
    do {
      json = try HeaderJSONReader.read(bytes)
    } catch let error as HeaderSyntaxError {
      throw Self.bad(
        path, "the header is not JSON: expected \(error.expected) at its byte \(error.position)")
    }
    guard case .object(let members) = json else { throw Self.bad(path, "the header is no object") }
    var names: Set<String> = []
    for (name, value) in members {
      guard names.insert(name).inserted else {
        throw Self.bad(path, "tensor \(name) is listed twice")
      }
      if name == "__metadata__" {
        try readMetadata(value, path: path)
      } else {
        tensors.append(try Self.tensor(name, value, path: path))
      }
    }
    tensors.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    try checkCoverage(dataBytes, path: path)
  }

  private static func bad(_ path: String, _ problem: String) -> ArchiveError {
    .bad(path, problem, remedy: "The file is not valid safetensors: copy or export it again")
  }

  private mutating func readMetadata(_ value: HeaderJSON, path: String) throws {
    guard case .object(let members) = value else {
      throw Self.bad(path, "__metadata__ is not an object")
    }
    for (key, value) in members {
      guard case .string(let text) = value else {
        throw Self.bad(path, "metadata \(key) is not a string")
      }
      guard metadata.updateValue(text, forKey: key) == nil else {
        throw Self.bad(path, "metadata \(key) is listed twice")
      }
    }
  }

  private static func tensor(
    _ name: String, _ value: HeaderJSON, path: String
  ) throws -> SafeTensorInfo {
    guard case .object(let members) = value else {
      throw bad(path, "tensor \(name) is not described by an object")
    }
    let fields = Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
    guard fields.count == members.count else {
      throw bad(path, "tensor \(name) repeats a key of its description")
    }
    guard case .string(let code) = fields["dtype"] else {
      throw bad(path, "tensor \(name) has no dtype")
    }
    guard let type = SafeTensorType(code: code) else {
      throw bad(path, "tensor \(name) has the unknown dtype \(code)")
    }
    let shape = try integers(fields["shape"], "shape", of: name, path: path)
    let offsets = try integers(fields["data_offsets"], "data_offsets", of: name, path: path)
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw bad(path, "tensor \(name) has data_offsets \(offsets), expected [begin, end]")
    }
    guard let expected = type.bytes(of: shape) else {
      throw bad(path, "tensor \(name) of \(code) has the impossible shape \(shape)")
    }
    guard offsets[1] - offsets[0] == expected else {
      throw bad(
        path,
        "tensor \(name) of \(code) \(shape) needs \(expected) bytes, "
          + "found \(offsets[1] - offsets[0])")
    }
    return SafeTensorInfo(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
  }

  private static func integers(
    _ value: HeaderJSON?, _ key: String, of name: String, path: String
  ) throws -> [Int] {
    guard case .array(let elements) = value else {
      throw bad(path, "tensor \(name) has no list \(key)")
    }
    return try elements.map { element in
      guard case .integer(let integer) = element, let integer = Int(exactly: integer) else {
        throw bad(path, "\(key) of tensor \(name) has an element that is no integer below 2^63")
      }
      return integer
    }
  }

  /// Tensors must lie end to end from the first byte of data to the last.
  private func checkCoverage(_ dataBytes: Int, path: String) throws {
    var end = 0
    for tensor in tensors {
      guard tensor.range.lowerBound == end else {
        let begin = tensor.range.lowerBound
        let kind = begin < end ? "overlaps the one before" : "leaves a hole before it"
        throw Self.bad(
          path, "tensor \(tensor.name) \(kind): it begins at \(begin), expected \(end)")
      }
      end = tensor.range.upperBound
    }
    guard end == dataBytes else {
      throw Self.bad(path, "the tensors have \(end) bytes, the file has \(dataBytes) of data")
    }
  }
}
