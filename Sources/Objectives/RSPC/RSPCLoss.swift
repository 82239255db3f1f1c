import Attacks
import Autograd
import Datasets
import Networks
import Tensors

/// The loss of `RSPC`: around every forward pass that trains, a companion pass over the same images
/// with some patches replaced by noise, whose block features are to stay where they are.
final class RSPCLoss: Loss, Regularizer {
  let figures: [String]
  let opponent: Opponent?
  var memorySize: Int { inner.memorySize }

  private let options: RSPC
  private let corruption: PatchCorruption
  private let inner: any Loss

  init(_ options: RSPC, _ corruption: PatchCorruption, around inner: any Loss) {
    self.options = options
    self.corruption = corruption
    self.inner = inner
    opponent = options.opponent
    figures = ["alignment", "occluded"] + inner.figures
  }

  func callAsFunction(_ pass: Pass) throws -> Variable {
    try inner(pass.regularized(by: self))
  }

  func state(at moment: Moment) -> [String: String] { inner.state(at: moment) }

  func forward(
    _ images: Variable, _ pass: Pass, _ cx: Context,
    _ next: (_ images: Variable, _ cx: Context) throws -> Logits
  ) throws -> Logits {
    let occluded = occlude(images.tensor, pass, cx)
    if options.batchStatistics == .joint, pass.model.usesBatchStatistics {
      return try jointForward(images, occluded, pass, cx, next)
    }
    let features = features(of: occluded, pass, cx)
    var clean = cx
    clean.taps = taps(pass, inside: cx.taps) { z, name, cx in
      guard let companion = features.values[name] else {
        preconditionFailure("the companion pass kept all block outputs")
      }
      return self.align(z, with: companion, pass, cx)
    }
    return try next(images, clean)
  }

  /// One pass over the occluded images and the clean ones, in this order.
  private func jointForward(
    _ images: Variable, _ occluded: Variable, _ pass: Pass, _ cx: Context,
    _ next: (_ images: Variable, _ cx: Context) throws -> Logits
  ) throws -> Logits {
    let count = images.shape[0]
    var both = cx
    both.statisticsWeight = cx.statisticsWeight.map { $0 / 2 }
    if let keys = cx.keys {
      let companion = options.sharedDropPath ? keys.repeats : keys.repeats.map { $0 + 1 << 32 }
      both.keys?.samples = keys.samples + keys.samples
      both.keys?.repeats = companion + keys.repeats
    }
    both.taps = taps(pass, inside: cx.taps) { z, _, cx in
      let companion = cx.samples(z, 0..<count)
      let clean = self.align(cx.samples(z, count..<2 * count), with: companion, pass, cx)
      return cx.stacked(companion, clean)
    }
    let logits = try next(cx.stacked(occluded, images), both)
    return Logits(
      classes: cx.samples(logits.classes, count..<2 * count),
      distilled: logits.distilled.map { cx.samples($0, count..<2 * count) })
  }

  /// Taps that put `body` in the way of every block's output.
  private func taps(
    _ pass: Pass, inside outer: Taps?,
    _ body: @escaping (_ z: Variable, _ name: String, _ cx: Context) -> Variable
  ) -> Taps {
    let pairs = pass.model.blockOutputs.map { name in
      (name, { body($0, name, $1) } as Taps.Interposition)
    }
    return Taps(interposing: Dictionary(uniqueKeysWithValues: pairs), inside: outer)
  }

  /// x̂, tracked back to the corruption model through the reversal of its gradient.
  private func occlude(_ images: Tensor, _ pass: Pass, _ cx: Context) -> Variable {
    let scores = corruption.scores(images, pass.model.description, cx)
    let mask = Tensor(scores.shape, from: cx.pool)
    let patches = corruption.grid.patches
    for sample in 0..<images.shape[0] {
      let row = UnsafeBufferPointer(
        start: UnsafePointer(scores.tensor.pointer + sample * patches), count: patches)
      let count = options.selection.mask(
        row, rho: options.rho, into: mask.pointer + sample * patches)
      pass.tally.add(Double(count) * Double(pass.sampleWeight), to: "occluded")
    }
    return cx.occlude(
      images, with: noise(like: images, pass, cx), mask: mask,
      scores: cx.reverseGradient(scores, by: 1), grid: corruption.grid,
      estimator: options.estimator(sampleWeight: pass.sampleWeight))
  }

  /// What every block makes of the occluded images; their scores are not used.
  private func features(of occluded: Variable, _ pass: Pass, _ cx: Context) -> Taps {
    let taps = Taps(pass.model.blockOutputs)
    var companion = cx
    companion.statisticsWeight = nil
    companion.taps = taps
    if !options.sharedDropPath { companion.keys?.pass += 1 }
    _ = pass.model(occluded, companion)
    return taps
  }

  /// δ, drawn anew for every sample and step.
  private func noise(like images: Tensor, _ pass: Pass, _ cx: Context) -> Tensor {
    guard let keys = cx.keys else { preconditionFailure("noise needs the keys of the samples") }
    return options.noise.tensor(
      like: images, pass.model.description,
      key: { keys.key(.occlusionNoise, $0, layer: 0) }, pool: cx.pool)
  }

  private func align(
    _ z: Variable, with companion: Variable, _ pass: Pass, _ cx: Context
  ) -> Variable {
    // The published code divides by the number of blocks + 1e-4.
    let blocks = Double(pass.model.blockOutputs.count)
    let share = 1 / (blocks + (options.distance == .mse ? 1e-4 : 0))
    let weight = Double(pass.sampleWeight) * options.lambda * share
    let (result, distance) = cx.aligned(
      z, with: companion, by: options.distance, factor: Float(weight),
      stopsGradient: options.stopGradClean)
    if !cx.isReplay {
      pass.tally.addLoss(weight * distance)
      pass.tally.add(Double(pass.sampleWeight) * share * distance, to: "alignment")
    }
    return result
  }
}
