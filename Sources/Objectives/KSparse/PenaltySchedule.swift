import Foundation

/// Where the two loops of the penalty method stand: outer rounds m < N₁ of N₂ steps each, and
/// μ_m = max(μ₀ c^m, floor). A pure function of the moment, so that a resumed run cannot lose it.
struct PenaltySchedule: Sendable, Equatable {
  /// m, from 0; stays at N₁ - 1 after the last round.
  let round: Int
  /// Steps done in this round (k of the method).
  let inner: Int
  /// μ_m.
  let mu: Double

  init(_ options: KSparseAttention, at moment: Moment) {
    let length = Self.roundLength(options, moment)
    round = min(moment.step / length, options.rounds - 1)
    inner = moment.step - round * length
    mu = max(options.mu * pow(options.c, Double(round)), options.smallestMu)
  }

  /// N₂ in optimizer steps.
  private static func roundLength(_ options: KSparseAttention, _ moment: Moment) -> Int {
    if options.roundSteps > 0 { return options.roundSteps }
    let epochs = options.roundEpochs * Double(moment.stepsPerEpoch)
    if epochs > 0 { return max(1, Int(epochs.rounded())) }
    return max(1, moment.totalSteps / options.rounds)
  }
}
