import Configuration

/// Mixup (Zhang et al., 2018): whole images are blended.
public struct MixupOptions: Configurable {
  /// λ ~ Beta(α, α); 0 turns it off, DeiT has 0.8.
  public var alpha = 0.0

  public init() {}

  public func validate() throws { try requireAlpha(alpha, "alpha") }
}

/// CutMix (Yun et al., 2019): a rectangle of one image goes into the other.
public struct CutMixOptions: Configurable {
  /// λ ~ Beta(α, α); 0 turns it off, DeiT has 1.
  public var alpha = 0.0

  public init() {}

  public func validate() throws { try requireAlpha(alpha, "alpha") }
}

/// How samples of a virtual shard are paired and mixed.
public struct MixingOptions: Configurable {
  /// What shares one λ and one rectangle.
  public enum Mode: String, Codable, Sendable, CaseIterable {
    /// The samples of a virtual shard.
    case batch
    /// A sample and its partner.
    case pair
    /// Nothing: every sample has its own.
    case element
  }

  /// Probability that anything is mixed.
  public var probability = 1.0
  /// Where both are on: probability of CutMix instead of mixup.
  public var switchProbability = 0.5
  public var mode = Mode.batch

  public init() {}

  public func validate() throws {
    try requireProbability(probability, "probability")
    try requireProbability(switchProbability, "switchProbability")
  }
}

private func requireAlpha(_ alpha: Double, _ key: String) throws {
  guard alpha >= 0, alpha <= 1 else {
    throw ConfigurationError(
      key, "\(alpha) is outside 0...1",
      remedy: "Give 0 to turn it off, 0.8 for mixup or 1 for CutMix")
  }
}
