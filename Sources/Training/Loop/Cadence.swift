/// Which steps are followed by an evaluation, a checkpoint, a comparison of the replicas. Steps are
/// counted as done.
public struct Cadence: Sendable, Equatable {
  public var stepsPerEpoch: Int
  public var totalSteps: Int
  /// Epochs between two evaluations; 0 for one at the end only.
  public var evaluateEveryEpochs = 1
  /// Steps between two checkpoints; 0 for none by their number.
  public var saveEverySteps = 0
  /// Minutes of rank 0's clock between two checkpoints; 0 for none by the clock.
  public var saveEveryMinutes = 0.0
  /// Whether weights that were judged are saved, since they may be the best.
  public var savesJudged = false
  /// Steps between two comparisons of all ranks' weights at least; 0 for none.
  public var checkReplicasEverySteps = 0
  /// Part of the time that they may take; where they take more they are made less often.
  public var checkReplicasShare = 0.01

  public init(stepsPerEpoch: Int, totalSteps: Int) {
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
  }

  public func evaluates(after step: Int) -> Bool {
    step == totalSteps || falls(step, every: evaluateEveryEpochs * stepsPerEpoch)
  }

  public func saves(after step: Int, isJudged: Bool) -> Bool {
    step == totalSteps || falls(step, every: saveEverySteps) || (savesJudged && isJudged)
  }

  private func falls(_ step: Int, every period: Int) -> Bool { period > 0 && step % period == 0 }
}
