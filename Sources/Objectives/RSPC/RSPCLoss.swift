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
    let features = occludedFeatures(images.tensor, pass, cx)
    let outputs = pass.model.blockOutputs
    // The published code divides by the number of blocks + 1e-4.
    let share = 1 / (Double(outputs.count) + (options.distance == .mse ? 1e-4 : 0))
    let weight = Double(pass.sampleWeight) * options.lambda * share
    var clean = cx
    clean.taps = Taps(
      interposing: Dictionary(
        uniqueKeysWithValues: outputs.map { name in
          (name, { self.align($0, with: features.values[name], weight, share, pass, $1) })
        }), inside: cx.taps)
    return try next(images, clean)
  }

  /// The features of every block of the occluded images; their scores are not used.
  private func occludedFeatures(_ images: Tensor, _ pass: Pass, _ cx: Context) -> Taps {
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
    let occluded = cx.occlude(
      images, with: noise(like: images, pass, cx), mask: mask,
      scores: cx.reverseGradient(scores, by: 1), grid: corruption.grid,
      estimator: options.estimator(sampleWeight: pass.sampleWeight))

    var companion = cx
    companion.statisticsWeight = nil
    companion.taps = Taps(pass.model.blockOutputs)
    if !options.sharedDropPath { companion.keys?.pass += 1 }
    _ = pass.model(occluded, companion)
    return companion.taps ?? Taps()
  }

  /// δ, drawn anew for every sample and step.
  private func noise(like images: Tensor, _ pass: Pass, _ cx: Context) -> Tensor {
    guard let keys = cx.keys else { preconditionFailure("noise needs the keys of the samples") }
    let description = pass.model.description
    let plane = description.side * description.side
    let noise = Tensor(images.shape, from: cx.pool)
    for sample in 0..<images.shape[0] {
      let key = keys.key(.occlusionNoise, sample, layer: 0)
      for channel in 0..<description.channels {
        let (low, span): (Float, Float) =
          options.noise == .pixel
          ? (0, 1) : (description.mean[channel], description.deviation[channel])
        let first = channel * plane
        let target = noise.pointer + sample * description.channels * plane + first
        for i in 0..<plane { target[i] = low + span * key.uniformFloat(first + i) }
      }
    }
    return noise
  }

  private func align(
    _ z: Variable, with companion: Variable?, _ weight: Double, _ share: Double, _ pass: Pass,
    _ cx: Context
  ) -> Variable {
    guard let companion else { preconditionFailure("the companion pass kept all block outputs") }
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
