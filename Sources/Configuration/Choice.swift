/// One entry of a catalogue with its options, written `{kind: adamw, learningRate: 1.0e-3}`.
///
/// The kind selects the options' type, whose defaults govern the remaining keys.
public struct Choice<C: Catalog>: Configurable {
  /// The entry's name in the catalogue.
  public let kind: String
  private let storage: any Configurable
  /// The chosen plug-in.
  public let value: C.Element

  /// The entry with its default options: `Choice<OptimizerCatalog>(.adamw)`.
  public init(_ entry: CatalogEntry<C.Element>) {
    self.init(entry, options: entry.defaults)
  }

  /// Options of a type that is in the catalogue: `Choice<OptimizerCatalog>(SGD(momentum: 0.8))`.
  public init(_ options: some CatalogKind) {
    let kind = type(of: options).kind
    guard let entry = C.entry(kind) else {
      preconditionFailure("\(kind) is not in the catalogue of \(C.subject)s")
    }
    self.init(entry, options: options)
  }

  /// The first entry of the catalogue.
  public init() { self.init(C.entries[0]) }

  private init(_ entry: CatalogEntry<C.Element>, options: any Configurable) {
    guard let value = entry.view(options) else {
      preconditionFailure("the \(C.subject) \(entry.kind) does not take \(type(of: options))")
    }
    kind = entry.kind
    storage = options
    self.value = value
  }

  public func validate() throws { try storage.validate() }

  public static func == (a: Choice, b: Choice) -> Bool {
    a.kind == b.kind && a.storage.equals(b.storage)
  }
}

extension Choice: Codable {
  private enum Key: String, CodingKey { case kind }

  public init(from decoder: any Decoder) throws {
    let kind = try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .kind)
    guard let entry = C.entry(kind) else {
      throw CatalogListing(C.self).unknown(kind, at: "", source: "")
    }
    self.init(entry, options: try entry.decode(decoder))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(kind, forKey: .kind)
    try storage.encode(to: encoder)
  }
}

/// Lets the encoder mark the place in the tree where another kind may be put.
protocol Choosing {
  static var listing: CatalogListing { get }
}

extension Choice: Choosing {
  static var listing: CatalogListing { CatalogListing(C.self) }
}
