extension ValueTree {
  /// YAML in block style, keys in the tree's order; reading it gives an equal tree.
  public var yaml: String {
    switch content {
    case .mapping(let mapping) where !mapping.keys.isEmpty:
      lines(indent: "").joined(separator: "\n") + "\n"
    default: inline + "\n"
    }
  }

  /// JSON on one line, keys in the tree's order. Numbers that JSON does not have become null.
  public var json: String { json(sortingKeys: false) }

  /// One text for all equal trees: JSON without spaces, keys sorted, numbers in their shortest
  /// round-trip spelling. Hash it to name a configuration.
  public var canonical: String { json(sortingKeys: true) }

  private func lines(indent: String) -> [String] {
    (mapping?.entries ?? []).flatMap { key, value -> [String] in
      let head = "\(indent)\(Self.spelled(key)):"
      switch value.content {
      case .mapping(let mapping) where !mapping.keys.isEmpty:
        return [head] + value.lines(indent: indent + "  ")
      case .list(let elements) where elements.contains { $0.mapping != nil }:
        return [head] + elements.map { "\(indent)  - \($0.inline)" }
      default: return ["\(head) \(value.inline)"]
      }
    }
  }

  /// Flow style, on one line.
  private var inline: String {
    switch content {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value):
      value.isNaN ? ".nan" : value.isInfinite ? (value < 0 ? "-.inf" : ".inf") : "\(value)"
    case .string(let value): Self.spelled(value)
    case .list(let elements): "[\(elements.map(\.inline).joined(separator: ", "))]"
    case .mapping(let mapping):
      "{\(mapping.entries.map { "\(Self.spelled($0.key)): \($0.value.inline)" }.joined(separator: ", "))}"
    }
  }

  private func json(sortingKeys: Bool) -> String {
    switch content {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .number(let value): return value.isFinite ? "\(value)" : "null"
    case .string(let value): return Self.quoted(value)
    case .list(let elements):
      return "[\(elements.map { $0.json(sortingKeys: sortingKeys) }.joined(separator: ","))]"
    case .mapping(let mapping):
      let entries = sortingKeys ? mapping.entries.sorted { $0.key < $1.key } : mapping.entries
      let fields = entries.map {
        "\(Self.quoted($0.key)):\($0.value.json(sortingKeys: sortingKeys))"
      }
      return "{\(fields.joined(separator: ","))}"
    }
  }

  /// Plain where YAML reads the same string back, quoted elsewhere.
  private static func spelled(_ text: String) -> String {
    let isWord = text.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"),
        UInt8(ascii: "."), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    let startsPlain = text.utf8.first.map { $0 != UInt8(ascii: "-") } ?? false
    if isWord, startsPlain, case .string = plainScalar(text) { return text }
    return quoted(text)
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
