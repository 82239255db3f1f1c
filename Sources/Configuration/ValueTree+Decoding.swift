extension ValueTree {
  /// The value that this tree spells, with every nested `Configurable` completed by its defaults and
  /// validated. Errors carry the dotted path, `path` in front, and where the text stands.
  public func decoded<T: Decodable>(as type: T.Type, at path: String = "") throws -> T {
    if let scalar = try scalar(type, at: path) { return scalar }
    guard let options = type as? any Configurable.Type else { return try instance(type, at: path) }
    let complete = try ValueTree(encoding: options.init()).overlaid(by: self, path: path)
    let value = try complete.instance(type, at: path)
    do {
      try (value as? any Configurable)?.validate()
    } catch let error as ConfigurationError {
      throw error.under(path, source: complete[path: error.key]?.source ?? source)
    }
    return value
  }

  private func instance<T: Decodable>(_ type: T.Type, at path: String) throws -> T {
    do {
      return try T(from: TreeDecoder(tree: self, path: path))
    } catch is DecodingError {
      let known = (type as? any CaseIterable.Type).map(spellings) ?? []
      throw ConfigurationError(
        path, "\(described) is not a valid value here",
        remedy: known.isEmpty
          ? "Give a value of type \(T.self)" : "Choose one of \(known.joined(separator: ", "))",
        source: source)
    }
  }

  /// Numbers are lenient where nothing is lost: 1.0 for 1 and 1 for 1.0. Anything else is an error.
  private func scalar<T>(_ type: T.Type, at path: String) throws -> T? {
    switch type {
    case is Bool.Type:
      guard case .bool(let value) = content else {
        throw mismatch("true or false", "Write true or false without quotes", path)
      }
      return value as? T
    case is String.Type:
      guard case .string(let value) = content else {
        throw mismatch("a string", "Put the value in double quotes", path)
      }
      return value as? T
    case is Double.Type: return try number(at: path) as? T
    case is Float.Type:
      let wide = try number(at: path)
      guard Float(wide).isFinite || !wide.isFinite else {
        throw mismatch("a number of at most 3.4e38", "Write a smaller number", path)
      }
      return Float(wide) as? T
    case let type as any (BinaryInteger & Decodable).Type:
      return try integer(type, at: path) as? T
    default: return nil
    }
  }

  private func number(at path: String) throws -> Double {
    switch content {
    case .integer(let value): return Double(value)
    case .number(let value): return value
    default: throw mismatch("a number", "Write a number without quotes, e.g. 1.0e-3", path)
    }
  }

  private func integer<I: BinaryInteger>(_ type: I.Type, at path: String) throws -> I {
    let whole: Int?
    switch content {
    case .integer(let value): whole = value
    // Above 2^53 a Double no longer tells neighbouring integers apart.
    case .number(let value): whole = abs(value) <= 0x1p53 ? Int(exactly: value) : nil
    default: throw mismatch("an integer", "Write an integer without quotes, e.g. 8", path)
    }
    guard let whole else {
      throw mismatch("an integer", "Write a whole number of at most 2^53", path)
    }
    guard let value = I(exactly: whole) else {
      throw mismatch("a number that fits \(I.self)", "Write a number in that range", path)
    }
    return value
  }

  private func mismatch(_ expected: String, _ remedy: String, _ path: String) -> ConfigurationError
  {
    ConfigurationError(
      path, "found \(described) where \(expected) is expected", remedy: remedy, source: source)
  }
}

private func spellings(_ type: any CaseIterable.Type) -> [String] {
  func list<C: CaseIterable>(_ type: C.Type) -> [String] {
    type.allCases.map { ($0 as? any RawRepresentable<String>)?.rawValue ?? "\($0)" }
  }
  return list(type)
}

/// Mapping keys of any name.
struct TreeKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

struct TreeDecoder: Decoder {
  let tree: ValueTree
  let path: String
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard let mapping = tree.mapping else { throw mismatch("a mapping", "Write key: value lines") }
    return KeyedDecodingContainer(
      TreeMapping(mapping: mapping, source: tree.source, path: path))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .list(let elements) = tree.content else {
      throw mismatch("a list", "Write it in brackets, e.g. [1, 2]")
    }
    return TreeList(elements: elements, source: tree.source, path: path)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer {
    TreeScalar(tree: tree, path: path)
  }

  private func mismatch(_ expected: String, _ remedy: String) -> ConfigurationError {
    ConfigurationError(
      path, "found \(tree.described) where \(expected) is expected", remedy: remedy,
      source: tree.source)
  }
}
