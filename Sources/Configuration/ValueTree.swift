/// What a YAML or JSON text means: scalars, lists and mappings that keep their order of keys.
///
/// Equality compares contents only, not where they were read.
public struct ValueTree: Sendable, Equatable {
  public enum Content: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([ValueTree])
    case mapping(Mapping)
  }

  public var content: Content
  /// File and line, or the override, this was read from; empty for defaults.
  public var source: String
  /// For an encoded `Choice`: what else may be chosen here.
  var catalog: CatalogListing?
  /// For an encoded dictionary: keys are data, so any key is valid.
  var isOpen = false

  public init(_ content: Content, source: String = "") {
    self.content = content
    self.source = source
  }

  public static func == (a: ValueTree, b: ValueTree) -> Bool { a.content == b.content }

  /// The mapping, or nothing for other contents.
  public var mapping: Mapping? {
    if case .mapping(let mapping) = content { mapping } else { nil }
  }

  /// The string, or nothing for other contents.
  public var string: String? {
    if case .string(let string) = content { string } else { nil }
  }

  /// The entry at a dotted path of mapping keys; the empty path is the tree itself.
  public subscript(path path: String) -> ValueTree? {
    path.split(separator: ".").reduce(self as ValueTree?) { $0?.mapping?[String($1)] }
  }

  /// What this is, for error messages: `the string "abc"`, `a list`.
  var described: String {
    switch content {
    case .null: "empty"
    case .bool(let value): "the boolean \(value)"
    case .integer(let value): "the integer \(value)"
    case .number(let value): "the number \(value)"
    case .string(let value): "the string \"\(value)\""
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }
}

extension ValueTree {
  /// Keys and values in order; keys are unique.
  public struct Mapping: Sendable, Equatable {
    public private(set) var keys: [String] = []
    private var values: [String: ValueTree] = [:]

    public init() {}

    public subscript(key: String) -> ValueTree? {
      get { values[key] }
      set {
        if values[key] == nil, newValue != nil { keys.append(key) }
        if newValue == nil { keys.removeAll { $0 == key } }
        values[key] = newValue
      }
    }

    public var entries: [(key: String, value: ValueTree)] { keys.map { ($0, values[$0]!) } }
  }
}

extension ValueTree: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  public init(integerLiteral value: Int) { self.init(.integer(value)) }
  public init(floatLiteral value: Double) { self.init(.number(value)) }
  public init(stringLiteral value: String) { self.init(.string(value)) }
  public init(booleanLiteral value: Bool) { self.init(.bool(value)) }
  public init(arrayLiteral elements: ValueTree...) { self.init(.list(elements)) }
  public init(dictionaryLiteral elements: (String, ValueTree)...) {
    var mapping = Mapping()
    for (key, value) in elements { mapping[key] = value }
    self.init(.mapping(mapping))
  }
}
