/// One tensor to be written: its values are asked for when its turn comes.
public struct SafeTensorEntry {
  public let name: String
  public let shape: [Int]
  /// Type of the bytes that are handed over; nil for `Float` values, converted as the file wants.
  let fixedType: SafeTensorType?
  /// Hands the bytes to the closure it is given.
  let withBytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// `withValues` calls its argument once with the values in row-major order, e.g. a view of a
  /// slab.
  public init(
    _ name: String, shape: [Int],
    withValues: @escaping ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
  ) {
    self.name = name
    self.shape = shape
    fixedType = nil
    withBytes = { use in try withValues { try use(UnsafeRawBufferPointer($0)) } }
  }

  public init(_ name: String, shape: [Int], values: [Float]) {
    self.init(name, shape: shape) { use in try values.withUnsafeBufferPointer { try use($0) } }
  }

  /// Bytes of another type (int8 weights), written as they are.
  public init(_ name: String, type: SafeTensorType, shape: [Int], bytes: [UInt8]) {
    self.name = name
    self.shape = shape
    fixedType = type
    withBytes = { use in try bytes.withUnsafeBytes { try use($0) } }
  }
}

extension SafeTensors {
  /// What `Float` values become in a file.
  public enum Precision: String, Sendable, CaseIterable {
    case f32, bf16

    var type: SafeTensorType { self == .f32 ? .f32 : .bf16 }
  }

  /// Writes a file that appears only when complete and durable.
  ///
  /// Tensors are ordered by descending element size, then by name, so that each begins at a
  /// multiple of its element size.
  public static func write(
    _ entries: [SafeTensorEntry], metadata: [String: String] = ["format": "pt"], to path: String,
    as precision: Precision = .f32
  ) throws {
    let typed = entries.map { (entry: $0, type: $0.fixedType ?? precision.type) }
    let ordered = typed.sorted { a, b in
      a.type.bits != b.type.bits
        ? a.type.bits > b.type.bits
        : a.entry.name.utf8.lexicographicallyPrecedes(b.entry.name.utf8)
    }
    let file = try DurableFile(path)
    try file.write(header(ordered, metadata, path: path))
    for (entry, type) in ordered { try write(entry, type, to: file) }
    try file.commit()
  }

  private static func header(
    _ entries: [(entry: SafeTensorEntry, type: SafeTensorType)], _ metadata: [String: String],
    path: String
  ) throws -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\($0.key.asJSON):\($0.value.asJSON)" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var end = 0
    var names: Set<String> = ["__metadata__"]
    for (entry, type) in entries {
      precondition(names.insert(entry.name).inserted, "tensor \(entry.name) given twice")
      guard let bytes = type.bytes(of: entry.shape) else {
        preconditionFailure("tensor \(entry.name): shape \(entry.shape)")
      }
      let shape = entry.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(entry.name.asJSON):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(end),\(end + bytes)]}")
      end += bytes
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text.append(contentsOf: repeatElement(0x20, count: -text.count & 7))
    guard text.count <= headerLimit else {
      throw ArchiveError.bad(
        path, "the header would have \(text.count) bytes, the format allows \(headerLimit)",
        remedy: "Shorten the metadata")
    }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }

  private static func write(
    _ entry: SafeTensorEntry, _ type: SafeTensorType, to file: DurableFile
  ) throws {
    let expected = type.bytes(of: entry.shape)
    let start = file.count
    try entry.withBytes { bytes in
      if entry.fixedType == nil, type == .bf16 {
        try writeBFloat16(bytes.bindMemory(to: Float.self), to: file)
      } else {
        try file.write(bytes)
      }
    }
    precondition(file.count - start == expected, "tensor \(entry.name): values of another shape")
  }

  private static func writeBFloat16(
    _ values: UnsafeBufferPointer<Float>, to file: DurableFile
  ) throws {
    let block = 1 << 18
    let scratch = UnsafeMutableBufferPointer<UInt16>.allocate(
      capacity: min(block, max(1, values.count)))
    defer { scratch.deallocate() }
    for start in stride(from: 0, to: values.count, by: block) {
      let count = min(block, values.count - start)
      SafeTensorConversion.toBFloat16(
        values.baseAddress! + start, scratch.baseAddress!, count: count)
      try file.write(UnsafeRawBufferPointer(start: scratch.baseAddress, count: 2 * count))
    }
  }
}
