/// Options of one part of a run: plain stored properties, every one with a default.
///
/// Rules that keep the overlay true: no `Optional` properties (use an enum case or a neutral value),
/// units in names (`warmupEpochs`, `epsilonOver255`), checks in `validate`.
public protocol Configurable: Codable, Sendable, Equatable {
  init()
  /// Throws `ConfigurationError` with the key, the value and what would mend it.
  func validate() throws
}

extension Configurable {
  public func validate() throws {}
}
