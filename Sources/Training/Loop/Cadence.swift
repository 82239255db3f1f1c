/// Which steps are followed by an evaluation or a checkpoint.
public struct Cadence: Sendable, Equatable {
  public var stepsPerEpoch: Int
  public var totalSteps: Int
  /// Epochs between two evaluations; 0 for one at the end only.
  public var evaluateEveryEpochs: Int
  /// Steps between two checkpoints; 0 for one at the end only.
  public var saveEverySteps: Int

  public init(
    stepsPerEpoch: Int, totalSteps: Int, evaluateEveryEpochs: Int, saveEverySteps: Int
  ) {
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
    self.evaluateEveryEpochs = evaluateEveryEpochs
    self.saveEverySteps = saveEverySteps
  }

  /// - Parameter step: steps done.
  public func evaluates(after step: Int) -> Bool {
    step == totalSteps || falls(step, every: evaluateEveryEpochs * stepsPerEpoch)
  }

  public func saves(after step: Int) -> Bool {
    step == totalSteps || falls(step, every: saveEverySteps)
  }

  private func falls(_ step: Int, every period: Int) -> Bool { period > 0 && step % period == 0 }
}
