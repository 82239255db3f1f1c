import Autograd
import Networks
import Tensors

/// The loss of `KSparseAttention`: a regularizer on every forward pass that trains.
final class KSparseLoss: Loss, Regularizer {
  /// A layer whose attention rows are penalised.
  struct Layer {
    let number: Int
    let tap: AttentionTap
    /// K.
    let k: Int
  }

  let figures: [String]
  var opponent: Opponent? { inner.opponent }
  var memorySize: Int { inner.memorySize }

  private let options: KSparseAttention
  private let layers: [Layer]
  private let inner: any Loss
  /// Rows of all layers of one sample.
  private let rows: Int

  init(_ options: KSparseAttention, _ layers: [Layer], around inner: any Loss) {
    self.options = options
    self.layers = layers
    self.inner = inner
    rows = layers.reduce(0) { $0 + $1.tap.heads * $1.tap.keys }
    figures =
      ["penalty", "mu"]
      + layers.flatMap { layer in ["penalty", "hoyer", "tail"].map { "\($0).\(layer.number)" } }
      + inner.figures
  }

  func callAsFunction(_ pass: Pass) throws -> Variable {
    let schedule = PenaltySchedule(options, at: pass.moment)
    pass.tally.add(schedule.mu * Double(pass.batch.count) * Double(pass.sampleWeight), to: "mu")
    return try inner(pass.regularized(by: self))
  }

  func state(at moment: Moment) -> [String: String] {
    let schedule = PenaltySchedule(options, at: moment)
    return inner.state(at: moment).merging([
      "ksparse.mu": "\(schedule.mu)", "ksparse.m": "\(schedule.round)",
      "ksparse.k": "\(schedule.inner)",
    ]) { $1 }
  }

  func forward(
    _ images: Variable, _ pass: Pass, _ cx: Context,
    _ next: (_ images: Variable, _ cx: Context) throws -> Logits
  ) throws -> Logits {
    let schedule = PenaltySchedule(options, at: pass.moment)
    let divisor = options.reduction == .rowMean ? Double(rows) : 1
    let factor = Double(pass.sampleWeight) / (2 * schedule.mu * divisor)
    // A layer whose K is the whole row is left alone: its bits are those of plain training.
    let interpositions = layers.compactMap { layer in
      let k = currentK(layer, schedule)
      return k < layer.tap.keys
        ? (layer.tap.name, { self.penalize($0, layer, k, factor, pass, $1) })
        : nil as (String, Taps.Interposition)?
    }
    guard !interpositions.isEmpty else { return try next(images, cx) }
    var penalized = cx
    penalized.taps = Taps(
      interposing: Dictionary(uniqueKeysWithValues: interpositions), inside: cx.taps)
    return try next(images, penalized)
  }

  private func penalize(
    _ weights: Variable, _ layer: Layer, _ k: Int, _ factor: Double, _ pass: Pass, _ cx: Context
  ) -> Variable {
    let (result, sparsity) = cx.penalizingTail(of: weights, keeping: k, factor: Float(factor))
    if !cx.isReplay { record(sparsity, layer, factor, pass.tally, pass.sampleWeight) }
    return result
  }

  /// K falls linearly from the whole row over the first rounds, where that is asked for.
  private func currentK(_ layer: Layer, _ schedule: PenaltySchedule) -> Int {
    guard schedule.round < options.shrinkingRounds else { return layer.k }
    let part = Double(schedule.round) / Double(options.shrinkingRounds)
    let excess = Double(layer.tap.keys - layer.k) * (1 - part)
    return layer.k + Int(excess.rounded())
  }

  private func record(
    _ sparsity: RowSparsity, _ layer: Layer, _ factor: Double, _ tally: Tally,
    _ sampleWeight: Float
  ) {
    let penalty = factor * sparsity.residual
    tally.addLoss(penalty)
    tally.add(penalty, to: "penalty")
    tally.add(penalty, to: "penalty.\(layer.number)")
    // Over the rows of a sample, so that the sum over the global batch is a mean over rows.
    let weight = Double(sampleWeight) / Double(layer.tap.heads * layer.tap.keys)
    tally.add(weight * sparsity.hoyer, to: "hoyer.\(layer.number)")
    tally.add(weight * sparsity.tail, to: "tail.\(layer.number)")
  }
}
