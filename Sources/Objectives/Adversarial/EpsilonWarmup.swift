import Configuration

/// ε grows linearly at the start of a run; its steps with it.
public struct EpsilonWarmup: Configurable {
  /// Epochs without any attack.
  public var after = 0.0
  /// Epochs over which ε then grows to its whole.
  public var epochs = 0.0

  public init() {}

  public func validate() throws {
    for (key, value) in [("after", after), ("epochs", epochs)] where !(value >= 0) {
      throw ConfigurationError(key, "is \(value)", remedy: "Give 0 or a number of epochs")
    }
  }

  /// From 0 to 1.
  public func factor(at moment: Moment) -> Double {
    let passed = moment.epochs - after
    if passed < 0 { return 0 }
    return passed >= epochs ? 1 : passed / epochs
  }
}
