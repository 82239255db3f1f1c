import Networks
import Tensors

/// Holds what goes into an attack, and what comes out of it, to what they must be.
struct AttackCheck {
  let attack: String
  let keys: AttackKeys

  private func failure(
    _ kind: AttackError.Kind, row: Int, _ problem: String, remedy: String
  ) -> AttackError {
    AttackError(kind, attack: attack, "sample \(keys.samples[row]): \(problem)", remedy: remedy)
  }

  /// The images, with what lies beyond 0...1 by no more than rounding clipped.
  func images(
    _ images: Tensor, _ description: ClassifierDescription, pool: BufferPool
  ) throws -> Tensor {
    let (batch, channels, side) = (images.shape[0], description.channels, description.side)
    precondition(
      images.shape == [batch, channels, side, side] && keys.samples.count == batch
        && keys.repeats.count == batch,
      "images \(images.shape) with \(keys.samples.count) keys for a model of \(side) px")
    var needsClipping = false
    let width = images.count / max(batch, 1)
    for row in 0..<batch {
      let range = PixelRange(images.pointer + row * width, count: width)
      if range.isWithin(0...1) { continue }
      needsClipping = true
      if range.isWithin(-1e-6...1 + 1e-6) { continue }
      let hint =
        range.high > 2
        ? "values look 0 to 255: divide them by 255"
        : range.low < -0.1
          ? "values look normalised: the model does that itself"
          : "random erasing leaves such noise: set its probability to 0"
      throw failure(
        .badData, row: row,
        "its pixels \(range)", remedy: "Attacks need pixels in 0...1; \(hint)")
    }
    guard needsClipping else { return images }
    let clipped = images.copy(from: pool)
    Perturbations.clipToPixels(clipped.pointer, count: clipped.count)
    return clipped
  }

  func goal(_ goal: AttackGoal, classes: Int) throws {
    precondition(
      goal.count == keys.samples.count, "\(goal.count) goals for \(keys.samples.count) images")
    switch goal {
    case .labels(let labels): try check(labels, "label", classes)
    case .targets(let targets, let labels):
      try check(labels, "label", classes)
      try check(targets, "target", classes)
      for row in labels.indices where labels[row] == targets[row] {
        throw failure(
          .badData, row: row, "the target \(targets[row]) is what the image shows",
          remedy: "Give another target, or leave the image out")
      }
    case .mixtures(let tensor):
      precondition(tensor.shape[1] == classes, "\(tensor.shape) for \(classes) classes")
    }
  }

  private func check(_ values: [Int], _ name: String, _ classes: Int) throws {
    for (row, value) in values.enumerated() where !(0..<classes).contains(value) {
      throw failure(
        .badData, row: row, "\(name) \(value) is outside 0..<\(classes)",
        remedy: "Give data and a model of the same classes")
    }
  }

  /// Refuses a result outside the pixel box or the ball, or with a pixel that is not a number.
  func result(_ result: Tensor, around clean: Tensor, _ threat: ThreatModel) throws {
    let remedy = "Report this: the attack is not what it says"
    guard result.shape == clean.shape else {
      throw AttackError(
        .broken, attack: attack, "returned \(result.shape) for images \(clean.shape)",
        remedy: remedy)
    }
    let batch = clean.shape[0]
    let width = clean.count / max(batch, 1)
    let bound = Double(threat.epsilon) + ThreatModel.tolerance * max(1, Double(threat.epsilon))
    for row in 0..<batch {
      let (x, c) = (result.pointer + row * width, clean.pointer + row * width)
      let range = PixelRange(x, count: width)
      guard range.isWithin(0...1) else {
        throw failure(.broken, row: row, "its attacked pixels \(range)", remedy: remedy)
      }
      let distance = threat.distance(x, c, count: width)
      guard distance <= bound else {
        throw failure(
          .broken, row: row,
          "it moved the image by \(distance) (\(threat.norm)), epsilon is \(threat.epsilon)",
          remedy: remedy)
      }
    }
  }
}

/// From where to where the pixels of an image reach.
private struct PixelRange: CustomStringConvertible {
  let low: Float
  let high: Float
  let isFinite: Bool

  init(_ pixels: UnsafePointer<Float>, count: Int) {
    (low, high) = Perturbations.range(pixels, count: count)
    isFinite = Elementwise.isFinite(pixels, count: count)
  }

  func isWithin(_ range: ClosedRange<Float>) -> Bool {
    isFinite && low >= range.lowerBound && high <= range.upperBound
  }

  var description: String {
    "reach from \(low) to \(high)" + (isFinite ? "" : ", and some are not finite")
  }
}
