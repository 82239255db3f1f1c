/// A config or option that cannot be used: where, which key, what is wrong, how to mend it.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// Dotted path, e.g. `optimizer.learningRate`; empty when the whole file is meant.
  public let key: String
  /// What is wrong, without a full stop: `100 is not a multiple of virtualShards 32`.
  public let problem: String
  /// What the user can do, without a full stop.
  public let remedy: String
  /// File and line, or the override, that brought the value in; empty for a default.
  public let source: String

  public init(_ key: String, _ problem: String, remedy: String, source: String = "") {
    self.key = key
    self.problem = problem
    self.remedy = remedy
    self.source = source
  }

  public var description: String {
    (source.isEmpty ? "" : "\(source): ") + (key.isEmpty ? "" : "\(key): ")
      + "\(problem). \(remedy)."
  }

  /// The same error of options that lie at `path` in a larger tree.
  public func under(_ path: String, source: String = "") -> ConfigurationError {
    ConfigurationError(
      joined(path, key), problem, remedy: remedy, source: self.source.isEmpty ? source : self.source
    )
  }
}

/// `a` and `b.c` make `a.b.c`; an empty part adds nothing.
func joined(_ path: String, _ key: String) -> String {
  path.isEmpty ? key : key.isEmpty ? path : "\(path).\(key)"
}
