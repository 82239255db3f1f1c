import Attacks
import Networks
import Tensors
import TestSupport
import Testing

/// A network as a victim: the slope of its scores over the pixels.
@Suite struct VictimTests {
  /// What changes the way from the pixels to the scores.
  enum Model: CaseIterable, Sendable {
    case plain, meanOfTokens, twoHeads, recomputed

    func change(_ options: inout VisionTransformer) {
      switch self {
      case .plain: break
      case .meanOfTokens: options.pooling = .mean
      case .twoHeads: options.distilled = true
      case .recomputed: options.recomputeBlocks = true
      }
    }
  }

  /// Input gradients through the whole network against central differences, step 10⁻² in float32.
  @Test(arguments: AttackLoss.allCases, Model.allCases)
  func inputGradientsAreDerivatives(_ loss: AttackLoss, _ model: Model) {
    let tiny = TinyTransformer(model.change)
    let images = tiny.images(2)
    let goal = AttackGoal.labels(tiny.predictions(images))
    let (_, gradient) = tiny.victim.gradient(images, rows: []) {
      loss.gradient(of: $0, goal, into: $1)
    }
    let scale = gradient.array.map(abs).max()!
    let key = RandomKey(seed: 5, .synthesis)
    for probe in 0..<50 {
      let index = key.below(images.count, probe)
      let middle = images.pointer[index]
      func value(_ h: Float) -> Double {
        images.pointer[index] = middle + h
        return loss.values(of: tiny.victim.logits(images, rows: []), goal).reduce(0, +)
      }
      let numeric = (8 * (value(0.01) - value(-0.01)) - (value(0.02) - value(-0.02))) / 0.12
      images.pointer[index] = middle
      #expect(abs(Float(numeric) - gradient.pointer[index]) < 0.02 * scale, "pixel \(index)")
    }
  }

  /// Blocks that are run again in the reverse pass give the same bits as blocks that are kept.
  @Test func recomputingChangesNothing() throws {
    func attacked(_ model: Model) throws -> [Float] {
      let tiny = TinyTransformer(model.change)
      let images = tiny.images(5)
      return try PGD.training.examples(
        of: images, .labels(tiny.predictions(images)), victim: tiny.victim, keys: tiny.keys(5),
        pool: tiny.pool
      ).array
    }
    #expect(try attacked(.recomputed) == attacked(.plain))
  }

  /// No gradient of a weight is formed, and the weights stay as they are.
  @Test func weightsAreLeftAlone() throws {
    let tiny = TinyTransformer()
    let images = tiny.images(3)
    let count = tiny.network.parameters.layout.count
    func weights() -> [Float] {
      Array(UnsafeBufferPointer(start: tiny.network.parameters.values, count: count))
    }
    let before = weights()
    _ = try PGD.training.examples(
      of: images, .labels([1, 2, 3]), victim: tiny.victim, keys: tiny.keys(3), pool: tiny.pool)
    #expect(weights() == before)
  }
}
