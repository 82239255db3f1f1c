extension ValueTree {
  /// The options as a tree, keys in order of declaration.
  ///
  /// Integers above `Int.max` cannot be stored; options must not hold them.
  public init(encoding options: some Encodable) {
    let slot = EncodingSlot()
    do { try slot.encode(options) } catch {
      preconditionFailure("\(type(of: options)) cannot be encoded: \(error)")
    }
    self = slot.tree
  }
}

/// A place in the tree under construction; a reference, because `Encoder` hands out containers that
/// outlive the call.
private final class EncodingSlot {
  private enum Contents {
    case empty
    case scalar(ValueTree.Content)
    case keyed([(String, EncodingSlot)])
    case unkeyed([EncodingSlot])
  }

  private var contents = Contents.empty
  private var catalog: CatalogListing?
  private var isOpen = false

  var tree: ValueTree {
    var tree =
      switch contents {
      case .empty: ValueTree(.mapping(.init()))
      case .scalar(let content): ValueTree(content)
      case .unkeyed(let slots): ValueTree(.list(slots.map(\.tree)))
      case .keyed(let slots):
        ValueTree(.mapping(ordered(slots).reduce(into: .init()) { $0[$1.0] = $1.1.tree }))
      }
    tree.catalog = catalog
    tree.isOpen = isOpen
    return tree
  }

  /// A dictionary's order differs from run to run, so its keys are sorted.
  private func ordered(_ slots: [(String, EncodingSlot)]) -> [(String, EncodingSlot)] {
    isOpen ? slots.sorted { $0.0 < $1.0 } : slots
  }

  func encode<T: Encodable>(_ value: T) throws {
    if let content = scalarContent(value) {
      contents = .scalar(content)
      return
    }
    catalog = (T.self as? any Choosing.Type)?.listing
    isOpen = T.self is any StringKeyed.Type
    try value.encode(to: TreeEncoder(slot: self))
  }

  func setNull() { contents = .scalar(.null) }

  func beginList() { if case .unkeyed = contents {} else { contents = .unkeyed([]) } }

  func child(_ key: String) -> EncodingSlot {
    let slot = EncodingSlot()
    if case .keyed(let slots) = contents {
      contents = .keyed(slots + [(key, slot)])
    } else {
      contents = .keyed([(key, slot)])
    }
    return slot
  }

  func appended() -> EncodingSlot {
    let slot = EncodingSlot()
    if case .unkeyed(let slots) = contents {
      contents = .unkeyed(slots + [slot])
    } else {
      contents = .unkeyed([slot])
    }
    return slot
  }

  var count: Int { if case .unkeyed(let slots) = contents { slots.count } else { 0 } }
}

/// A dictionary, whose keys are data and not a declared set.
private protocol StringKeyed {}
extension Dictionary: StringKeyed where Key == String {}

private func scalarContent(_ value: some Encodable) -> ValueTree.Content? {
  switch value {
  case let value as Bool: .bool(value)
  case let value as String: .string(value)
  case let value as Double: .number(value)
  // Through the shortest decimal, so that 0.1 is written 0.1 and not 0.10000000149.
  case let value as Float: .number(Double("\(value)") ?? Double(value))
  case let value as any BinaryInteger: Int(exactly: value).map { .integer($0) }
  default: nil
  }
}

private struct TreeEncoder: Encoder {
  let slot: EncodingSlot
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(KeyedContainer(slot: slot))
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    slot.beginList()
    return ListContainer(slot: slot)
  }
  func singleValueContainer() -> any SingleValueEncodingContainer { ScalarContainer(slot: slot) }
}

// One generic method witnesses the protocols' requirement for each scalar type.

private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let slot: EncodingSlot
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) { slot.child(key.stringValue).setNull() }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try slot.child(key.stringValue).encode(value)
  }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
    -> KeyedEncodingContainer<Nested>
  { TreeEncoder(slot: slot.child(key.stringValue)).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    TreeEncoder(slot: slot.child(key.stringValue)).unkeyedContainer()
  }
  func superEncoder() -> any Encoder { TreeEncoder(slot: slot.child("super")) }
  func superEncoder(forKey key: Key) -> any Encoder {
    TreeEncoder(slot: slot.child(key.stringValue))
  }
}

private struct ListContainer: UnkeyedEncodingContainer {
  let slot: EncodingSlot
  var codingPath: [any CodingKey] { [] }
  var count: Int { slot.count }

  func encodeNil() { slot.appended().setNull() }
  func encode<T: Encodable>(_ value: T) throws { try slot.appended().encode(value) }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type)
    -> KeyedEncodingContainer<Nested>
  { TreeEncoder(slot: slot.appended()).container(keyedBy: type) }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    TreeEncoder(slot: slot.appended()).unkeyedContainer()
  }
  func superEncoder() -> any Encoder { TreeEncoder(slot: slot.appended()) }
}

private struct ScalarContainer: SingleValueEncodingContainer {
  let slot: EncodingSlot
  var codingPath: [any CodingKey] { [] }

  func encodeNil() { slot.setNull() }
  func encode<T: Encodable>(_ value: T) throws { try slot.encode(value) }
}
