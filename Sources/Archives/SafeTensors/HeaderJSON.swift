/// A value of the JSON subset in which safetensors headers are written.
///
/// A general decoder would hide repeated keys, which the format forbids, and accept integers
/// through floating point; so the header has a reader of its own.
indirect enum HeaderJSON {
  case object([(key: String, value: HeaderJSON)])
  case array([HeaderJSON])
  case string(String)
  case integer(UInt64)
  /// Any other legal value; nothing in a header uses one.
  case other
}

struct HeaderSyntaxError: Error {
  var position: Int
  var expected: String
}

/// Reads one JSON text; bytes beyond it may only be white space.
struct HeaderJSONReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  static func read(_ bytes: UnsafeRawBufferPointer) throws -> HeaderJSON {
    var reader = HeaderJSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == bytes.count else { throw reader.failure("the end of the header") }
    return value
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func failure(_ expected: String) -> HeaderSyntaxError {
    HeaderSyntaxError(position: position, expected: expected)
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard accept(character) else { throw failure("'\(character)'") }
  }

  private mutating func value(depth: Int) throws -> HeaderJSON {
    // A header nests three deep; the limit keeps a hostile one from exhausting the stack.
    guard depth < 16 else { throw failure("less deep nesting") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case .some(let byte) where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
      return number()
    default:
      for word in ["true", "false", "null"] where acceptWord(word) { return .other }
      throw failure("a JSON value")
    }
  }

  private mutating func object(depth: Int) throws -> HeaderJSON {
    try expect("{")
    var members: [(key: String, value: HeaderJSON)] = []
    if accept("}") { return .object(members) }
    repeat {
      skipSpace()
      let key = try string()
      try expect(":")
      members.append((key, try value(depth: depth + 1)))
    } while accept(",")
    try expect("}")
    return .object(members)
  }

  private mutating func array(depth: Int) throws -> HeaderJSON {
    try expect("[")
    var elements: [HeaderJSON] = []
    if accept("]") { return .array(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while accept(",")
    try expect("]")
    return .array(elements)
  }

  private mutating func number() -> HeaderJSON {
    let start = position
    while let byte = next,
      (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte)
    {
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    return UInt64(text).map(HeaderJSON.integer) ?? .other
  }

  private mutating func acceptWord(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func string() throws -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("a string in UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
      case 0..<0x20: throw failure("no control character in a string")
      default: text.append(byte)
      }
    }
    throw failure("the end of a string")
  }

  private mutating func escape() throws -> [UInt8] {
    guard let byte = next else { throw failure("an escape sequence") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw failure("an escape sequence")
    }
  }

  private mutating func unicodeEscape() throws -> [UInt8] {
    let first = try fourDigits()
    var code = first
    if (0xD800..<0xDC00).contains(first), acceptWord("\\u") {
      let second = try fourDigits()
      guard (0xDC00..<0xE000).contains(second) else { throw failure("a surrogate pair") }
      code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("a surrogate pair") }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func fourDigits() throws -> UInt32 {
    guard position + 4 <= bytes.count,
      let code = UInt32(
        String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits") }
    position += 4
    return code
  }
}

extension String {
  /// The string as a JSON literal with its quotes.
  var asJSON: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
