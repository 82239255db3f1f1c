/// Weights in the safetensors format: a length, a JSON header, and the tensors end to end.
public enum SafeTensors {
  /// Opens a file and checks its header against every rule of the format. Values are read on
  /// demand.
  public static func read(_ path: String) throws -> SafeTensorsFile { try SafeTensorsFile(path) }

  /// Longest header that the format allows.
  static let headerLimit = 100_000_000
}

/// An open safetensors file. Any thread may read from it.
public final class SafeTensorsFile: Sendable {
  public let path: String
  public let metadata: [String: String]
  /// In the order of their bytes.
  public let tensors: [SafeTensorInfo]
  private let byName: [String: Int]
  private let reader: FileReader
  private let dataStart: Int

  init(_ path: String) throws {
    self.path = path
    reader = try FileReader(path)
    guard reader.size >= 8 else {
      throw ArchiveError.bad(
        path, reader.size == 0 ? "is empty" : "has \(reader.size) bytes, too few for safetensors",
        remedy: "Copy or export it again")
    }
    let length = try reader.bytes(at: 0, count: 8).withUnsafeBytes { $0.load(as: UInt64.self) }
    guard length <= UInt64(SafeTensors.headerLimit) else {
      throw ArchiveError.bad(
        path, "claims a header of \(length) bytes, the format allows \(SafeTensors.headerLimit)",
        remedy: "Give a safetensors file")
    }
    guard Int(length) <= reader.size - 8 else {
      throw ArchiveError.bad(
        path, "claims a header of \(length) bytes, but only \(reader.size - 8) follow",
        remedy: "The file was cut short: copy or export it again")
    }
    dataStart = 8 + Int(length)
    let dataBytes = reader.size - dataStart
    let header = try reader.bytes(at: 8, count: Int(length)).withUnsafeBytes {
      try SafeTensorsHeader($0, dataBytes: dataBytes, path: path)
    }
    metadata = header.metadata
    tensors = header.tensors
    byName = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
  }

  /// The tensor of that name, or nil.
  public subscript(name: String) -> SafeTensorInfo? { byName[name].map { tensors[$0] } }

  /// Values of a tensor as `Float`, in row-major order.
  public func values(_ name: String) throws -> [Float] {
    guard let info = self[name] else { throw missing(name) }
    try checkReadable(info)
    var values = [Float](repeating: 0, count: info.elementCount)
    try values.withUnsafeMutableBufferPointer { try read(name, into: $0) }
    return values
  }

  /// Converts a tensor to `Float` in place; `target` has exactly its number of elements.
  public func read(_ name: String, into target: UnsafeMutableBufferPointer<Float>) throws {
    guard let info = self[name] else { throw missing(name) }
    try checkReadable(info)
    guard target.count == info.elementCount else {
      throw ArchiveError.bad(
        path, "tensor \(name) has shape \(info.shape), expected \(target.count) elements",
        remedy: "Give weights of this model")
    }
    let width = info.type.bits / 8
    let block = 1 << 18
    let scratch = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(block, max(1, target.count)) * width, alignment: 16)
    defer { scratch.deallocate() }
    for start in stride(from: 0, to: target.count, by: block) {
      let count = min(block, target.count - start)
      let piece = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(count * width)])
      try reader.read(at: dataStart + info.range.lowerBound + start * width, into: piece)
      SafeTensorConversion.toFloat(
        info.type, piece.baseAddress!, target.baseAddress! + start, count: count)
    }
  }

  /// The stored bytes of a tensor, of whatever type.
  public func bytes(_ name: String) throws -> [UInt8] {
    guard let info = self[name] else { throw missing(name) }
    return try reader.bytes(at: dataStart + info.range.lowerBound, count: info.range.count)
  }

  private func missing(_ name: String) -> ArchiveError {
    .bad(path, "there is no tensor \(name)", remedy: "Give weights of this model")
  }

  private func checkReadable(_ info: SafeTensorInfo) throws {
    guard info.type.isReadable else {
      throw ArchiveError.bad(
        path, "tensor \(info.name) has dtype \(info.type), which vitdist does not read",
        remedy: "Export it as F32, F16, BF16, F64, I64, I32, I8 or U8")
    }
  }
}
