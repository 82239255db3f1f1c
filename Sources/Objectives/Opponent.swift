import Optimizers

/// How the parameters move that an objective trains against the model. Their gradient arrives
/// reversed, so descending it climbs the loss.
public struct Opponent: Sendable {
  /// Its learning rate counts where the schedule is not followed.
  public var optimizer: SGD
  /// Clips by the norm of the opponent's own gradient, after the reduction.
  public var clipping: GradientClipping
  /// Whether the rate is the model's at every step.
  public var followsSchedule: Bool

  public init(optimizer: SGD, clipping: GradientClipping, followsSchedule: Bool) {
    self.optimizer = optimizer
    self.clipping = clipping
    self.followsSchedule = followsSchedule
  }

  public func learningRate(_ scheduled: Double) -> Double {
    followsSchedule ? scheduled : optimizer.learningRate
  }
}
