// The three containers of `TreeDecoder`. One generic method witnesses the protocols' requirement for
// each scalar type.

struct TreeMapping<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let mapping: ValueTree.Mapping
  let source: String
  let path: String
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { mapping.keys.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { mapping[key.stringValue] != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try tree(key).content == .null }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try tree(key).decoded(as: type, at: joined(path, key.stringValue))
  }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
    -> KeyedDecodingContainer<Nested>
  { try superDecoder(forKey: key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try superDecoder(forKey: key).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder {
    TreeDecoder(tree: ValueTree(.mapping(mapping), source: source), path: path)
  }
  func superDecoder(forKey key: Key) throws -> any Decoder {
    TreeDecoder(tree: try tree(key), path: joined(path, key.stringValue))
  }

  private func tree(_ key: Key) throws -> ValueTree {
    guard let value = mapping[key.stringValue] else {
      throw ConfigurationError(
        joined(path, key.stringValue), "the key is missing", remedy: "Add it", source: source)
    }
    return value
  }
}

struct TreeList: UnkeyedDecodingContainer {
  let elements: [ValueTree]
  let source: String
  let path: String
  var codingPath: [any CodingKey] { [] }
  private(set) var currentIndex = 0

  init(elements: [ValueTree], source: String, path: String) {
    self.elements = elements
    self.source = source
    self.path = path
  }

  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex == elements.count }

  mutating func decodeNil() throws -> Bool {
    let (tree, _) = try next()
    if tree.content != .null { currentIndex -= 1 }
    return tree.content == .null
  }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let (tree, path) = try next()
    return try tree.decoded(as: type, at: path)
  }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
    -> KeyedDecodingContainer<Nested>
  { try superDecoder().container(keyedBy: type) }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try superDecoder().unkeyedContainer()
  }
  mutating func superDecoder() throws -> any Decoder {
    let (tree, path) = try next()
    return TreeDecoder(tree: tree, path: path)
  }

  private mutating func next() throws -> (ValueTree, String) {
    guard !isAtEnd else {
      throw ConfigurationError(
        path, "the list has only \(elements.count) elements", remedy: "Add the missing ones",
        source: source)
    }
    defer { currentIndex += 1 }
    return (elements[currentIndex], "\(path)[\(currentIndex)]")
  }
}

struct TreeScalar: SingleValueDecodingContainer {
  let tree: ValueTree
  let path: String
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { tree.content == .null }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try tree.decoded(as: type, at: path) }
}
