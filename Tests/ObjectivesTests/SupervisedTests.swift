import Datasets
import Objectives
import Tensors
import TestSupport
import Testing

@Suite struct SupervisedTests {
  static let logits: [[Float]] = [[1, 2, 0.5, -1], [0, 0, 3, 1]]
  static let labels = [MixedLabel(1), MixedLabel(2)]

  private func batch(_ labels: [MixedLabel], pool: BufferPool) -> Batch {
    Batch(
      images: .zeros([labels.count, 1, 1, 1], from: pool), labels: labels,
      samples: Array(labels.indices), repeats: Array(repeating: 0, count: labels.count))
  }

  @Test func targetsAreSmoothed() {
    let pool = BufferPool()
    let targets = batch([MixedLabel(3)], pool: pool).targets(classes: 4, smoothing: 0.1, from: pool)
    #expect(
      zip(targets.array, [0.025, 0.025, 0.025, 0.925]).allSatisfy {
        isClose($0, $1, absolute: 1e-7)
      })
    let hard = batch([MixedLabel(3)], pool: pool).targets(classes: 4, smoothing: 0, from: pool)
    #expect(hard.array == [0, 0, 0, 1])
  }

  /// Labels 0, 2, 1, 3 mixed with the group turned round, λ 0.7, smoothing 0.1.
  @Test func mixedTargetsAreMixturesOfSmoothedOnes() {
    let pool = BufferPool()
    let labels = [0, 2, 1, 3]
    let mixed = labels.indices.map { MixedLabel(labels[$0], partner: labels[3 - $0], weight: 0.7) }
    let targets = batch(mixed, pool: pool).targets(classes: 4, smoothing: 0.1, from: pool).array
    let expected: [Float] = [0.655, 0.025, 0.025, 0.295, 0.025, 0.295, 0.655, 0.025]
    #expect(zip(targets, expected).allSatisfy { isClose($0, $1, absolute: 1e-6) })
  }

  @Test func aMixtureOfOneClassIsThatClass() {
    let pool = BufferPool()
    let targets = batch([MixedLabel(1, partner: 1, weight: 0.25)], pool: pool)
      .targets(classes: 3, smoothing: 0, from: pool)
    #expect(targets.array == [0, 1, 0])
  }

  /// Values of the reference; float32 logits, sums in double.
  @Test(arguments: [(0.0, 0.35308975), (0.1, 0.52183974)])
  func theLossIsTheReferences(_ smoothing: Double, _ expected: Double) throws {
    var objective = Supervised()
    objective.labelSmoothing = smoothing
    let (loss, gradients) = try ScriptedModel(Self.logits)
      .learn(objective, labels: Self.labels, sampleWeight: 0.5)
    #expect(abs(loss - expected) < 1e-6)
    for (row, z) in Self.logits.enumerated() {
      for (c, p) in softmax(z).enumerated() {
        let target = smoothing / 4 + (c == Self.labels[row].label ? 1 - smoothing : 0)
        #expect(abs(Double(gradients[0][row][c]) - (p - target) / 2) < 1e-6)
      }
    }
  }

  struct Golden: Decodable {
    struct Entropy: Decodable {
      let classes: Int
      let smoothing: Double
      let labels, partners: [Int]
      let weights, logits, losses, gradientOfSum: [Float]
    }
    let crossEntropy: Entropy
  }

  @Test func mixedAndSmoothedAgreesWithPyTorch() throws {
    let golden = try Fixtures.decode("operations.json", as: Golden.self).crossEntropy
    let logits = golden.labels.indices.map {
      Array(golden.logits[$0 * golden.classes..<($0 + 1) * golden.classes])
    }
    let labels = golden.labels.indices.map {
      MixedLabel(golden.labels[$0], partner: golden.partners[$0], weight: golden.weights[$0])
    }
    var objective = Supervised()
    objective.labelSmoothing = golden.smoothing
    let (loss, gradients) = try ScriptedModel(logits)
      .learn(objective, labels: labels, sampleWeight: 1)
    #expect(abs(loss - golden.losses.reduce(0) { $0 + Double($1) }) < 1e-5)
    for (found, expected) in zip(gradients[0].joined(), golden.gradientOfSum) {
      #expect(isClose(found, expected, absolute: 1e-6))
    }
  }
}
