/// Intermediate results by name: `blocks.3.attn.weights`, `blocks.3.output`.
///
/// A model offers every result it has a name for; only those asked for are kept, and they are
/// ordinary variables, so a penalty on one differentiates.
public final class Taps {
  private let wanted: Set<String>
  public private(set) var values: [String: Variable] = [:]

  public init(_ names: some Sequence<String>) { wanted = Set(names) }

  public func wants(_ name: String) -> Bool { wanted.contains(name) }

  /// Whether any wanted name starts with `prefix`.
  public func wants(prefix: String) -> Bool { wanted.contains { $0.hasPrefix(prefix) } }

  func keep(_ variable: Variable, as name: String) {
    if wanted.contains(name) { values[name] = variable }
  }
}
