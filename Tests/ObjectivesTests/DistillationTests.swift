import Configuration
import Datasets
import Objectives
import Tensors
import TestSupport
import Testing

/// Values of the reference implementation for two samples of four classes.
@Suite struct DistillationTests {
  static let student = SupervisedTests.logits
  static let distilled: [[Float]] = [[0.8, 1.5, 0.1, -0.5], [-0.2, 0.4, 2, 0.6]]
  static let teacher: [[Float]] = [[0, 3, 1, -2], [2.5, 0, 2, 1]]
  static let labels = SupervisedTests.labels

  private func objective(
    _ form: Distillation.Form, weight: Double = 0.5, temperature: Double = 1,
    reduction: Distillation.Reduction = .batch
  ) -> Distillation {
    var objective = Distillation()
    (objective.form, objective.weight, objective.temperature) = (form, weight, temperature)
    (objective.reduction, objective.labelSmoothing) = (reduction, 0)
    return objective
  }

  private func learn(_ objective: Distillation) throws -> (loss: Double, gradients: [[[Float]]]) {
    try ScriptedModel(Self.student, Self.distilled).learn(
      objective, labels: Self.labels, teacher: ScriptedModel(Self.teacher), sampleWeight: 0.5)
  }

  @Test(arguments: [
    (1.0, Distillation.Reduction.batch, 0.5059258938), (3, .batch, 0.6960195303),
    (1, .classesAndBatch, 0.1264814734), (3, .classesAndBatch, 0.1740048826),
  ]) func softLessonsAreTheReferences(
    _ temperature: Double, _ reduction: Distillation.Reduction, _ expected: Double
  ) throws {
    let only = objective(.soft, weight: 1, temperature: temperature, reduction: reduction)
    #expect(abs(try learn(only).loss - expected) < 2e-6)
    let half = objective(.soft, temperature: temperature, reduction: reduction)
    #expect(abs(try learn(half).loss - (0.5 * 0.35308975 + 0.5 * expected)) < 2e-6)
  }

  @Test func hardLessonsAreTheReferences() throws {
    #expect(abs(try learn(objective(.hard, weight: 1)).loss - 1.6373589039) < 2e-6)
    #expect(abs(try learn(objective(.hard)).loss - 0.9952243567) < 2e-6)
    #expect(abs(try learn(objective(.hard, weight: 0)).loss - 0.35308975) < 2e-6)
  }

  /// (1 - α)(softmax - label) / B at the class head; at the other α τ (p - q) / B, over the number
  /// of classes where DeiT divides by it, or α (softmax - teacher's class) / B.
  @Test(arguments: [
    (Distillation.Form.hard, 1.0, Distillation.Reduction.batch), (.soft, 1, .batch),
    (.soft, 3, .classesAndBatch), (.soft, 3, .batch),
  ]) func gradientsAreTheFormulas(
    _ form: Distillation.Form, _ temperature: Double, _ reduction: Distillation.Reduction
  ) throws {
    let alpha = 0.25
    let found = try learn(
      objective(form, weight: alpha, temperature: temperature, reduction: reduction)
    ).gradients
    let divisor = reduction == .classesAndBatch ? 8.0 : 2
    for row in 0..<2 {
      let base = softmax(Self.student[row])
      let p = softmax(Self.distilled[row], temperature: form == .soft ? temperature : 1)
      let q = softmax(Self.teacher[row], temperature: temperature)
      for c in 0..<4 {
        let label = Self.labels[row].label == c ? 1.0 : 0
        #expect(
          abs(Double(found[0][row][c]) - (1 - alpha) * (base[c] - label) / 2) < 1e-6)
        let lesson =
          form == .soft
          ? alpha * temperature * (p[c] - q[c]) / divisor
          : alpha * (p[c] - ([1, 0][row] == c ? 1 : 0)) / 2
        #expect(abs(Double(found[1][row][c]) - lesson) < 1e-6)
      }
    }
  }

  struct Golden: Decodable {
    struct Values: Decodable {
      let rows, classes: Int
      let temperature, sum: Double
      let student, teacher, gradientOfSum: [Float]
    }
    let distillation: Values
  }

  /// A model with one head learns labels and lesson from it.
  @Test func softSumsAgreeWithPyTorch() throws {
    let golden = try Fixtures.decode("operations.json", as: Golden.self).distillation
    func table(_ values: [Float]) -> [[Float]] {
      (0..<golden.rows).map { Array(values[$0 * golden.classes..<($0 + 1) * golden.classes]) }
    }
    let (loss, gradients) = try ScriptedModel(table(golden.student)).learn(
      objective(.soft, weight: 1, temperature: golden.temperature),
      labels: Array(repeating: MixedLabel(0), count: golden.rows),
      teacher: ScriptedModel(table(golden.teacher)), sampleWeight: 1)
    #expect(abs(loss - golden.sum) < 1e-5)
    for (found, expected) in zip(gradients[0].joined(), golden.gradientOfSum) {
      #expect(isClose(found, expected, absolute: 2e-6))
    }
  }

  @Test func tiesGoToTheLowestClass() throws {
    let model = ScriptedModel([[0, 0, 0]])
    let (_, gradients) = try model.learn(
      objective(.hard, weight: 1), labels: [MixedLabel(0)], teacher: ScriptedModel([[1, 2, 2]]),
      sampleWeight: 1)
    let expected: [Float] = [1 / 3, 1 / 3 - 1, 1 / 3]
    for (found, expected) in zip(gradients[0][0], expected) {
      #expect(isClose(found, expected, absolute: 1e-6))
    }
  }

  /// DeiT's code: the mean of the heads' logits, not of their probabilities.
  @Test func thePredictionIsTheMeanOfTheHeads() {
    let model = ScriptedModel(Self.student, Self.distilled)
    let batch = Batch(
      images: .zeros([2, 1, 1, 1], from: model.pool), labels: Self.labels, samples: [0, 1],
      repeats: [0, 0])
    let pass = Pass(
      batch, of: Moment(step: 0, stepsPerEpoch: 1, totalSteps: 1), seed: 1, sampleWeight: 1,
      model: model, parameters: model.parameters, teacher: model.frozen,
      products: OpenBLASProducts(), pool: model.pool, gradients: model.parameters.values)
    let expected: [Float] = [0.9, 1.75, 0.3, -0.75, -0.1, 0.2, 2.5, 0.8]
    let found = pass.teacherLogits()?.array ?? []
    #expect(found.count == 8)
    #expect(zip(found, expected).allSatisfy { isClose($0, $1, absolute: 1e-6) })
  }

  @Test(arguments: [
    ("weight: 1.5", "weight"), ("temperature: 0", "temperature"),
    ("labelSmoothing: 1", "labelSmoothing"), ("form: firm", "form"),
  ]) func whatCannotBeIsRefused(_ change: String, _ key: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<ObjectiveCatalog>(
        yaml: "{kind: distillation, teacher: {weights: t.safetensors}, \(change)}", name: "o")
    }
    #expect(error?.key == key)
  }

  @Test func aTeacherIsNeeded() {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<ObjectiveCatalog>(yaml: "kind: distillation", name: "o")
    }
    #expect(error?.key == "teacher.weights")
  }
}
