/// What one optimizer step did, the same on all ranks but for the times.
public struct StepReport: Sendable {
  /// Steps done, this one included.
  public var step = 0
  public var samples = 0
  public var loss = 0.0
  /// What else the objective counts, by name: means over the global batch.
  public var figures: [(name: String, value: Double)] = []
  public var learningRate = 0.0
  public var gradientNorm = 0.0
  /// Values that were not finite, for which the policy left the weights alone.
  public var nonFinite: NonFiniteFinding?
  public var skipped: Bool { nonFinite != nil }
  public var seconds = 0.0
  /// Of these: forward and backward passes of this rank.
  public var computeSeconds = 0.0
  /// Waiting for batches, and adding up and exchanging gradients and weights.
  public var dataSeconds = 0.0
  public var reduceSeconds = 0.0
  public var updateSeconds = 0.0
}
