extension ValueTree {
  /// The value of a JSON text (RFC 8259), nothing else: duplicate keys, comments, NaN are errors.
  /// - Parameter name: the file's name, for messages.
  public init(json text: some Sequence<UInt8>, name: String) throws {
    var reader = JSONReader(bytes: Array(text), name: name)
    self = try reader.document()
  }
}

private struct JSONReader {
  let bytes: [UInt8]
  let name: String
  private var at = 0
  private var depth = 0
  /// Deeper nesting than any honest file has would exhaust the stack.
  private static let deepest = 128

  init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  mutating func document() throws -> ValueTree {
    let value = try value()
    skipSpace()
    return at == bytes.count ? value : try fail("there is text after the value")
  }

  private mutating func value() throws -> ValueTree {
    skipSpace()
    guard at < bytes.count else { return try fail("the text ends early") }
    switch bytes[at] {
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "\""): return ValueTree(.string(try string()), source: name)
    default: return try word()
    }
  }

  private mutating func nested(_ body: (inout Self) throws -> ValueTree) throws -> ValueTree {
    depth += 1
    defer { depth -= 1 }
    at += 1
    return depth > Self.deepest ? try fail("the nesting is too deep") : try body(&self)
  }

  private mutating func object() throws -> ValueTree {
    var mapping = ValueTree.Mapping()
    if take("}") { return ValueTree(.mapping(mapping), source: name) }
    repeat {
      skipSpace()
      let key = try string()
      guard mapping[key] == nil else { return try fail("the key \(key) is given twice") }
      guard take(":") else { return try fail("a colon is missing") }
      mapping[key] = try value()
    } while take(",")
    guard take("}") else { return try fail("a comma or } is missing") }
    return ValueTree(.mapping(mapping), source: name)
  }

  private mutating func array() throws -> ValueTree {
    var elements: [ValueTree] = []
    if take("]") { return ValueTree(.list(elements), source: name) }
    repeat { elements.append(try value()) } while take(",")
    guard take("]") else { return try fail("a comma or ] is missing") }
    return ValueTree(.list(elements), source: name)
  }

  private mutating func word() throws -> ValueTree {
    let start = at
    while at < bytes.count, !",]} \n\r\t:\"[{".utf8.contains(bytes[at]) { at += 1 }
    let word = String(decoding: bytes[start..<at], as: UTF8.self)
    let isJSON =
      ["null", "true", "false"].contains(word)
      || (word.utf8.first.map { "-0123456789".utf8.contains($0) } ?? false)
    let content = plainScalar(word)
    if isJSON, !word.hasPrefix("0x"), !word.hasPrefix("0o") {
      if case .string = content {} else { return ValueTree(content, source: name) }
    }
    return try fail("\"\(word)\" is not a value")
  }

  private mutating func string() throws -> String {
    guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
      return try fail("a string is missing")
    }
    at += 1
    var text: [UInt8] = []
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
      guard bytes[at] >= 0x20 else { return try fail("a string has a control character") }
      if bytes[at] == UInt8(ascii: "\\") {
        text += try escape()
      } else {
        text.append(bytes[at])
        at += 1
      }
    }
    guard at < bytes.count, let string = String(validating: text, as: UTF8.self) else {
      return try fail("a string does not end, or is not UTF-8")
    }
    at += 1
    return string
  }

  private mutating func escape() throws -> [UInt8] {
    at += 2
    guard at <= bytes.count else { return try fail("a string does not end") }
    switch bytes[at - 1] {
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "u"): return Array(String(try unicode()).utf8)
    case let other where "\"\\/".utf8.contains(other): return [other]
    default: return try fail("a string has an unknown escape")
    }
  }

  /// Four digits, or two groups of four that are a surrogate pair.
  private mutating func unicode() throws -> Unicode.Scalar {
    var unit = try digits()
    if 0xd800..<0xdc00 ~= unit, at + 2 <= bytes.count, bytes[at] == UInt8(ascii: "\\") {
      at += 2
      let low = try digits()
      guard 0xdc00..<0xe000 ~= low else { return try fail("a \\u escape is no character") }
      unit = 0x1_0000 + (unit - 0xd800) << 10 + (low - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(unit) else { return try fail("a \\u escape is no character") }
    return scalar
  }

  private mutating func digits() throws -> UInt32 {
    let digits = String(decoding: bytes[at..<min(at + 4, bytes.count)], as: UTF8.self)
    guard digits.utf8.count == 4, let value = UInt32(digits, radix: 16) else {
      return try fail("a \\u escape needs four hexadecimal digits")
    }
    at += 4
    return value
  }

  private mutating func take(_ symbol: Unicode.Scalar) -> Bool {
    skipSpace()
    guard at < bytes.count, bytes[at] == UInt8(ascii: symbol) else { return false }
    at += 1
    return true
  }

  private mutating func skipSpace() {
    while at < bytes.count, " \n\r\t".utf8.contains(bytes[at]) { at += 1 }
  }

  private func fail<T>(_ problem: String) throws -> T {
    let line = 1 + bytes.prefix(at).count { $0 == UInt8(ascii: "\n") }
    throw ConfigurationError(
      "", "not valid JSON: \(problem)", remedy: "Mend the syntax or write the file again",
      source: "\(name):\(line)")
  }
}
