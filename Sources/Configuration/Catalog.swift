/// The plug-ins of one sort, as a literal array: `kind: adamw` in a config selects an entry.
///
/// `Element` is the existential that the program works with, e.g. `any Optimizer`. A new plug-in is
/// one file, with its entry as a static property, and one line in `entries`.
public protocol Catalog: Sendable {
  associatedtype Element: Sendable
  /// What is chosen, in the singular, for error messages: `optimizer`.
  static var subject: String { get }
  /// All kinds, in the order in which they are listed; the first is the default.
  static var entries: [CatalogEntry<Element>] { get }
}

/// Options that are a plug-in and know their own name in the catalogue.
public protocol CatalogKind: Configurable {
  /// The value of the key `kind`.
  static var kind: String { get }
  /// One line for `vitdist list`.
  static var about: String { get }
}

/// One kind of a catalogue: its name, its default options, and how they are seen as `Element`.
public struct CatalogEntry<Element: Sendable>: Sendable {
  /// The value of the key `kind`.
  public let kind: String
  /// One line for `vitdist list`.
  public let about: String
  /// The options that a config gets that names only the kind. Made when asked for: options may hold
  /// a choice from their own catalogue.
  public var defaults: any Configurable { makeDefaults() }
  private let makeDefaults: @Sendable () -> any Configurable
  let view: @Sendable (any Configurable) -> Element?
  let decode: @Sendable (any Decoder) throws -> any Configurable

  /// A kind with a name of its own for options of a type that serves several, e.g. a published
  /// model: `defaults` then holds the values that the name stands for.
  /// - Parameter upcast: `{ $0 }`; it lets the compiler check that the options are an `Element`.
  public init<Options: Configurable>(
    _ kind: String, about: String, defaults: @escaping @Sendable @autoclosure () -> Options,
    upcast: @escaping @Sendable (Options) -> Element
  ) {
    self.kind = kind
    self.about = about
    makeDefaults = defaults
    self.view = { ($0 as? Options).map(upcast) }
    self.decode = { try Options(from: $0) }
  }

  /// The usual entry: name and description are the type's own.
  public init<Options: CatalogKind>(
    _ type: Options.Type, upcast: @escaping @Sendable (Options) -> Element
  ) {
    self.init(Options.kind, about: Options.about, defaults: Options(), upcast: upcast)
  }
}

extension Catalog {
  /// The entry of that kind, if there is one.
  public static func entry(_ kind: String) -> CatalogEntry<Element>? {
    entries.first { $0.kind == kind }
  }

  /// What is wrong with the catalogue itself: kinds given twice, kinds that are not lower-case
  /// words, options with a key `kind`, missing or long descriptions. Empty when all is well; tests
  /// call it for every catalogue.
  public static var defects: [String] {
    var seen: Set<String> = []
    var defects: [String] = []
    for entry in entries {
      let name = "\(subject) kind \"\(entry.kind)\""
      if !seen.insert(entry.kind).inserted { defects.append("\(name) is declared twice") }
      if entry.kind.isEmpty || entry.kind != entry.kind.lowercased() || entry.kind.contains(" ") {
        defects.append("\(name) is not one lower-case word")
      }
      if entry.about.isEmpty || entry.about.contains("\n") || entry.about.count > 100 {
        defects.append("\(name) needs a description of one line, at most 100 characters")
      }
      if ValueTree(encoding: entry.defaults)[path: "kind"] != nil {
        defects.append("\(name) has an option that is itself called kind")
      }
    }
    return defects
  }
}

/// A catalogue without its types: what can be chosen, for error messages and `vitdist list`.
public struct CatalogListing: Sendable {
  /// One kind with what `vitdist list` shows of it.
  public struct Kind: Sendable {
    public let name: String
    public let about: String
    let options: any Configurable
    /// `kind` and all options at their defaults.
    public var defaults: ValueTree { ValueTree(encoding: options).labelled(kind: name) }
  }

  public let subject: String
  public let kinds: [Kind]

  public init<C: Catalog>(_ catalog: C.Type) {
    subject = C.subject
    kinds = C.entries.map { Kind(name: $0.kind, about: $0.about, options: $0.defaults) }
  }

  func unknown(_ kind: String, at path: String, source: String) -> ConfigurationError {
    let names = kinds.map(\.name)
    return ConfigurationError(
      joined(path, "kind"), "there is no \(subject) \"\(kind)\"",
      remedy: (nearest(kind, among: names).map { "Did you mean \($0)? " } ?? "")
        + "Known kinds: \(names.joined(separator: ", "))", source: source)
  }
}

extension ValueTree {
  /// The same mapping with `kind` in front.
  func labelled(kind: String) -> ValueTree {
    var labelled = Mapping()
    labelled["kind"] = ValueTree(.string(kind), source: source)
    for (key, value) in mapping?.entries ?? [] { labelled[key] = value }
    return ValueTree(.mapping(labelled), source: source)
  }
}
