/// A config or option that cannot be used: which key, what is wrong, how to mend it.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// Dotted path, e.g. `optimizer.learningRate`; empty when the whole file is meant.
  public let key: String
  public let problem: String
  public let remedy: String

  public init(_ key: String, _ problem: String, remedy: String) {
    self.key = key
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String {
    (key.isEmpty ? "" : "\(key): ") + "\(problem). \(remedy)."
  }
}
