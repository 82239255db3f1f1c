import Archives
import TestSupport
import Testing

@Suite struct SafeTensorsTests {
  private static var example: [SafeTensorEntry] {
    [
      SafeTensorEntry("a", type: .i8, shape: [1, 3], bytes: [1, 2, 3]),
      SafeTensorEntry("s", shape: [], values: [3]),
      SafeTensorEntry("b", shape: [2], values: [1, -2]),
    ]
  }

  /// The bytes that `safetensors.numpy.save` 0.8.0 writes for the same tensors.
  @Test func bytesAreThoseOfTheReferenceImplementation() throws {
    let folder = try ScratchFolder()
    try SafeTensors.write(Self.example, to: folder["x.safetensors"])
    let reader = try FileReader(folder["x.safetensors"])
    #expect(reader.size == 223)
    let bytes = try reader.bytes(at: 0, count: 223)
    let json =
      #"{"__metadata__":{"format":"pt"},"#
      + #""b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
      + #""s":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"#
      + #""a":{"dtype":"I8","shape":[1,3],"data_offsets":[12,15]}}      "#
    #expect(bytes[..<8] == [200, 0, 0, 0, 0, 0, 0, 0])
    #expect(String(decoding: bytes[8..<208], as: UTF8.self) == json)
    #expect(bytes[208...] == [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x40, 0x40, 1, 2, 3])
  }

  @Test func valuesComeBack() throws {
    let folder = try ScratchFolder()
    let metadata = ["format": "pt", "odd \"key\"\n": "ü\t\u{1}"]
    try SafeTensors.write(Self.example, metadata: metadata, to: folder["x"])
    let file = try SafeTensors.read(folder["x"])
    #expect(file.metadata == metadata)
    #expect(file.tensors.map(\.name) == ["b", "s", "a"])
    #expect(try file.values("b") == [1, -2])
    #expect(try file.values("s") == [3])
    #expect(try file.values("a") == [1, 2, 3])
    #expect(file["a"]?.shape == [1, 3])
    let missing = try #require(throws: ArchiveError.self) { try file.values("c") }
    #expect(missing.description.contains("no tensor c"))
  }

  /// Halfway cases of rounding to nearest even, checked by hand on the bit patterns.
  @Test func bfloat16RoundsToNearestEven() throws {
    let folder = try ScratchFolder()
    let patterns: [(UInt32, UInt32)] = [
      (0x3F80_8000, 0x3F80_0000), (0x3F81_8000, 0x3F82_0000), (0x3F80_8001, 0x3F81_0000),
      (0x3F80_7FFF, 0x3F80_0000), (0x7F7F_FFFF, 0x7F80_0000), (0xFF80_0000, 0xFF80_0000),
      (0x8000_0000, 0x8000_0000),
    ]
    let values = patterns.map { Float(bitPattern: $0.0) } + [Float(bitPattern: 0x7F80_0001)]
    try SafeTensors.write(
      [SafeTensorEntry("x", shape: [values.count], values: values)], to: folder["x"], as: .bf16)
    let read = try SafeTensors.read(folder["x"]).values("x")
    #expect(read.dropLast().map(\.bitPattern) == patterns.map(\.1))
    #expect(read.last?.isNaN == true)
  }

  @Test func everyReadableTypeBecomesFloat() throws {
    let folder = try ScratchFolder()
    func bytes<T>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    let entries = [
      SafeTensorEntry("f64", type: .f64, shape: [], bytes: bytes(-0.5)),
      SafeTensorEntry("f16", type: .f16, shape: [], bytes: bytes(Float16(1.5))),
      SafeTensorEntry("bf16", type: .bf16, shape: [], bytes: [0x80, 0x3F]),
      SafeTensorEntry("i64", type: .i64, shape: [], bytes: bytes(Int64(-3))),
      SafeTensorEntry("i32", type: .i32, shape: [], bytes: bytes(Int32(70_000))),
      SafeTensorEntry("i8", type: .i8, shape: [], bytes: [0xFF]),
      SafeTensorEntry("u8", type: .u8, shape: [], bytes: [0xFF]),
      SafeTensorEntry("none", type: .f32, shape: [0, 3], bytes: []),
    ]
    try SafeTensors.write(entries, to: folder["x"])
    let file = try SafeTensors.read(folder["x"])
    let expected: [String: [Float]] = [
      "f64": [-0.5], "f16": [1.5], "bf16": [1], "i64": [-3], "i32": [70_000], "i8": [-1],
      "u8": [255], "none": [],
    ]
    for (name, values) in expected { #expect(try file.values(name) == values) }
  }

  /// Header text, data bytes, and what the message must say.
  static let malformed: [(String, Int, String)] = [
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "needs 8 bytes, found 4"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 6, "the file has 6"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "the file has 3"),
    (#"{"x":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, 4, "unknown dtype F99"),
    (#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "no integer"),
    (#"{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "no integer"),
    (#"{"x":{"dtype":"F32","data_offsets":[0,4]}}"#, 4, "no list shape"),
    (#"{"x":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "no dtype"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "expected [begin, end]"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "hole"),
    (#"{"x":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, 2, "impossible shape"),
    (
      #"{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4,
      "impossible shape"
    ),
    (
      #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
        + #""y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#, 6, "overlaps"
    ),
    (
      #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, "twice"
    ),
    (#"{"x":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#, 1, "repeats a key"),
    (#"{"__metadata__":{"epoch":3}}"#, 0, "metadata epoch is not a string"),
    (#"{"__metadata__":[]}"#, 0, "not an object"),
    (#"{"x":7}"#, 0, "not described by an object"),
    (#"{"x":"#, 0, "not JSON"),
    (#"{"x" 3}"#, 0, "not JSON"),
    (#"{"\ud800":3}"#, 0, "not JSON"),
    (#"{"a":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}"#, 0, "not JSON"),
    (#"[]"#, 0, "does not begin with '{'"),
    (#"{} x"#, 0, "not JSON"),
    ("", 0, "does not begin with '{'"),
  ]

  @Test(arguments: malformed)
  func malformedHeadersAreRefused(_ header: String, _ data: Int, _ message: String) throws {
    let folder = try ScratchFolder()
    let length = withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) }
    let path = try folder.write(
      "x", length + Array(header.utf8) + [UInt8](repeating: 0, count: data))
    let error = try #require(throws: ArchiveError.self) { try SafeTensors.read(path) }
    #expect(error.kind == .badData)
    #expect(error.description.contains(message))
    #expect(error.description.contains(path))
  }

  @Test func impossibleLengthsAreRefused() throws {
    let folder = try ScratchFolder()
    for bytes: [UInt8] in [
      [], [1, 2, 3], [0, 0, 0, 0, 0, 0, 0, 0x80, 0x7B], [9, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D],
    ] {
      let path = try folder.write("x", bytes)
      let error = try #require(throws: ArchiveError.self) { try SafeTensors.read(path) }
      #expect(error.kind == .badData)
    }
  }

  @Test func unreadableTypesAreNamedWhenAskedFor() throws {
    let folder = try ScratchFolder()
    let header = #"{"mask":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#
    let length = withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) }
    let path = try folder.write("x", length + Array(header.utf8) + [1, 0])
    let file = try SafeTensors.read(path)
    #expect(try file.bytes("mask") == [1, 0])
    let error = try #require(throws: ArchiveError.self) { try file.values("mask") }
    #expect(error.description.contains("mask has dtype BOOL"))
  }
}
