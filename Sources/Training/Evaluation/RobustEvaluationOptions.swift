import Attacks
import Configuration

/// Which attacks a classifier is judged by, and on how many images.
public struct RobustEvaluationOptions: Configurable {
  /// All on the same images; none for no such evaluation.
  public var attacks: [Choice<AttackCatalog>] = []
  /// Images, evenly spaced over the data set; 0 for all.
  public var samples = 0
  /// What the random draws of attacks depend on, besides the image.
  public var seed = 0
  /// Images that go through the model at once, and the unit in which ranks share the work: few fit
  /// the processor's caches and let many ranks take part.
  public var chunk = 8

  public init() {}

  public func validate() throws {
    for (key, value, least) in [("samples", samples, 0), ("seed", seed, 0), ("chunk", chunk, 1)]
    where value < least {
      throw ConfigurationError(key, "is \(value)", remedy: "Give an integer of at least \(least)")
    }
  }
}
