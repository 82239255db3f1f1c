/// Options of one part of a run: plain stored properties, every one with a default.
///
/// Rules that keep the overlay true: no `Optional` properties (use an enum case or a neutral value),
/// units in names (`warmupEpochs`, `epsilonOver255`), enumerations with `String` raw values, checks
/// in `validate`. Synthesised `Codable` is all that is needed; loading is in `Configurable+Loading`.
public protocol Configurable: Codable, Sendable, Equatable {
  init()
  /// Throws `ConfigurationError` with the key (relative to these options), the value and what would
  /// mend it. Options nested in these are validated by the loader, with their path in front.
  func validate() throws
}

extension Configurable {
  public func validate() throws {}

  /// Equality of options whose types are known only at run time.
  func equals(_ other: any Configurable) -> Bool { (other as? Self) == self }
}
