import Optimizers

extension TrainingStep {
  /// Updates the owned slices of the weights, of what plays against them, and of their average.
  func update(_ report: StepReport, opponentNorm: Double) throws {
    let slabs = OptimizerSlabs(
      parameters: network.parameters.values,
      gradients: UnsafeMutablePointer(mutating: reducer.summedGradient),
      states: states.map(\.slab.pointer))
    try rule.optimizer.update(
      slabs, owned: ownership,
      step: OptimizerStep(
        number: report.step, learningRate: report.learningRate,
        gradientScale: rule.clipping.scale(norm: report.gradientNorm)),
      norms: norms)
    if let opponent = loss.opponent {
      opponent.optimizer.update(
        slabs, owned: adversary,
        step: OptimizerStep(
          number: report.step, learningRate: opponent.learningRate(report.learningRate),
          gradientScale: opponent.clipping.scale(norm: opponentNorm)),
        norms: norms)
    }
    RunningStatistics.update(slabs, owned: statistics)
    guard let average else { return }
    for owned in [ownership, statistics] {
      rule.average.update(
        average.pointer, parameters: network.parameters.values, owned: owned,
        afterStep: report.step)
    }
  }
}
