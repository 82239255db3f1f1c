import Configuration

/// How long a rank may be silent.
public struct WatchdogOptions: Configurable {
  /// Seconds without a sign of life after which the job ends; 0: never. More than any single
  /// micro-batch, evaluation chunk or save takes.
  public var limitSeconds = 300.0

  public init() {}

  public func validate() throws {
    guard limitSeconds == 0 || (limitSeconds >= 1 && limitSeconds <= 1e6) else {
      throw ConfigurationError(
        "limitSeconds", "is \(limitSeconds)",
        remedy: "Give 0 for no watchdog, or from 1 to 1000000 seconds, such as 300")
    }
  }
}
