import Attacks
import Configuration
import Datasets
import Objectives
import Tensors
import TestSupport
import Testing

/// Free adversarial training: one backward pass moves the weights and what is added to the images.
@Suite struct FreeTrainingTests {
  private static let epsilon: Float = 8 / 255

  private func student(_ options: String) throws -> SmallStudent {
    let choice = try Choice<ObjectiveCatalog>(yaml: options, name: "o")
    let student = try SmallStudent(choice.value)
    student.network.parameters.fillWithCountedValues()
    return student
  }

  private func memory(_ student: SmallStudent, _ count: Int) -> Tensor {
    .zeros([count, student.loss.memorySize], from: student.pool)
  }

  /// Images with pixels at both ends of the range, where the box binds.
  private func images(_ student: SmallStudent) -> Batch {
    let batch = student.batch(6)
    Perturbations.clipToPixels(batch.images.pointer, count: batch.images.count)
    return batch
  }

  /// δ after the first step is ε sign(g) within the box, g as an attacker sees it.
  @Test func theFirstStepFollowsTheGradientOfTheImages() throws {
    let free = try student("{kind: free}")
    let (batch, delta) = (images(free), memory(free, 6))
    let natural = try student("{kind: supervised}").contributions([batch])
    let learned = try free.contributions([batch], memory: delta)
    #expect(learned.contributions[0].loss == natural.contributions[0].loss, "δ starts at zero")
    #expect(learned.gradient == natural.gradient)

    let victim = NetworkVictim(
      free.network.model, free.network.parameters, products: OpenBLASProducts(), pool: free.pool)
    var step = FGSM()
    step.epsilon = "8/255"
    let examples = try step.examples(
      of: batch.images, .labels(batch.labels.map(\.label)), victim: victim,
      keys: AttackKeys(seed: 1, samples: batch.samples), pool: free.pool)
    for i in 0..<delta.count {
      #expect(delta.pointer[i] == examples.pointer[i] - batch.images.pointer[i], "pixel \(i)")
    }
  }

  /// The weights' gradient of the second step is that at x + δ; δ never leaves the ball and the box.
  @Test func replaysGoOnFromTheSamePerturbation() throws {
    let free = try student("{kind: free, of: {kind: supervised, labelSmoothing: 0.1}}")
    let inner = try student("{kind: supervised, labelSmoothing: 0.1}")
    let (batch, delta) = (images(free), memory(free, 6))
    var last = -Double.infinity
    for _ in 0..<4 {
      var attacked = batch
      attacked.images = Tensor(batch.images.shape, from: free.pool)
      for i in 0..<delta.count {
        attacked.images.pointer[i] = batch.images.pointer[i] + delta.pointer[i]
      }
      Perturbations.clipToPixels(attacked.images.pointer, count: delta.count)
      let expected = try inner.contributions([attacked])
      let learned = try free.contributions([batch], memory: delta)
      #expect(isClose(learned.contributions[0].loss, expected.contributions[0].loss, 1e-6))
      // The weights stay as they are here, so the loss climbs.
      #expect(learned.contributions[0].loss > last)
      last = learned.contributions[0].loss
      for i in 0..<delta.count {
        let pixel = batch.images.pointer[i] + delta.pointer[i]
        #expect(abs(delta.pointer[i]) <= Self.epsilon + 1e-6 && pixel >= -1e-6 && pixel <= 1 + 1e-6)
      }
    }
  }

  private func isClose(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    abs(a - b) <= tolerance * abs(b)
  }

  @Test(arguments: [
    "{kind: free, replays: 1, epsilon: 0}", "{kind: free, warmup: {after: 1}}",
  ]) func withoutRoomItIsNaturalTraining(_ options: String) throws {
    let free = try student(options)
    let delta = memory(free, 6)
    let natural = try student("{kind: supervised}").contributions([free.batch(6)])
    let learned = try free.contributions([free.batch(6)], memory: delta)
    #expect(learned.contributions[0].loss == natural.contributions[0].loss)
    #expect(learned.gradient == natural.gradient)
    #expect(delta.array.allSatisfy { $0 == 0 })
  }

  /// Around it and inside it: the memory and the replays are asked for, and the perturbation moves.
  @Test(arguments: [
    "{kind: ksparse, k: 4, of: {kind: free, replays: 3}}",
    "{kind: rspc, rho: 0.25, of: {kind: free, replays: 3}}",
    "{kind: free, replays: 3, of: {kind: ksparse, k: 4}}",
  ]) func regularizersNest(_ options: String) throws {
    let choice = try Choice<ObjectiveCatalog>(yaml: options, name: "o")
    #expect(choice.value.replays == 3)
    let student = try student(options)
    let delta = memory(student, 6)
    #expect(student.loss.memorySize == 64)
    _ = try student.contributions([images(student)], memory: delta)
    #expect(delta.array.contains { $0 != 0 })
  }

  @Test(arguments: [
    ("{kind: free, replays: 0}", "replays"), ("{kind: free, epsilon: -1}", "epsilon"),
    ("{kind: free, of: {kind: trades}}", "of"), ("{kind: adversarial, of: {kind: free}}", "of"),
    ("{kind: free, of: {kind: ksparse, of: {kind: fast}}}", "of"),
  ]) func whatCannotBeIsRefused(_ options: String, _ key: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try Choice<ObjectiveCatalog>(yaml: options, name: "o")
    }
    #expect(error?.key == key)
  }
}
