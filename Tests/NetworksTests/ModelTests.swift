import Autograd
import Networks
import Tensors
import TestSupport
import Testing

/// What holds for every model of the family, whatever its options.
@Suite struct ModelTests {
  typealias Change = @Sendable (inout VisionTransformer) -> Void

  static let variants: [(name: String, change: Change)] = [
    ("class token", { _ in }),
    ("mean", { $0.pooling = .mean }),
    ("mean without class token", { ($0.pooling, $0.classToken) = (.mean, false) }),
    ("distilled", { $0.distilled = true }),
    ("sinusoidal", { $0.position = .sinusoidal }),
    ("tanh", { $0.gelu = .tanh }),
    ("recomputed", { $0.recomputeBlocks = true }),
    ("three channels", { ($0.channels, $0.mean, $0.deviation) = (3, [], []) }),
  ]
  static let names = variants.map(\.name)

  private func model(_ name: String) throws -> SmallModel {
    SmallModel(try #require(Self.variants.first { $0.name == name }).change)
  }

  @Test(arguments: names) func everyParameterReceivesAGradient(_ name: String) throws {
    let model = try model(name)
    let gradient = model.gradients(model.images(4))
    for entry in model.network.parameters.layout.entries {
      #expect(gradient[entry.range].contains { $0 != 0 }, "\(entry.name) receives none")
      #expect(gradient[entry.range].allSatisfy { $0.isFinite }, "\(entry.name)")
    }
  }

  @Test(arguments: names) func evaluationIsDeterministic(_ name: String) throws {
    let model = try model(name)
    let images = model.images(3)
    #expect(model.logits(images) == model.logits(images))
  }

  /// A product's blocking depends on the row, so the last bits may differ.
  @Test(arguments: names) func permutingTheBatchPermutesTheLogits(_ name: String) throws {
    let model = try model(name)
    let images = model.images(5)
    let order = [3, 0, 4, 1, 2]
    let turned = Tensor(
      images.shape, order.flatMap { images.slice($0..<$0 + 1).array },
      from: model.pool)
    let logits = Tensor([5, 10], model.logits(images), from: model.pool)
    let expected = order.flatMap { logits.slice($0..<$0 + 1).array }
    #expect(relativeDistance(model.logits(turned), expected) < 1e-5)
  }

  @Test func optionsChangeTheFunction() throws {
    let images = SmallModel().images(2)
    let plain = SmallModel().logits(images)
    for name in ["mean", "mean without class token", "distilled", "sinusoidal", "tanh"] {
      let logits = try model(name).logits(images)
      #expect(relativeDistance(logits, plain) > 1e-5, "\(name)")
    }
    #expect(try model("recomputed").logits(images) == plain)
  }

  /// The two forms of GELU differ by 5e-4 at most; a tiny model amplifies that little.
  @Test func tanhIsCloseToErf() throws {
    let images = SmallModel().images(2)
    let tanh = try model("tanh").logits(images)
    let distance = relativeDistance(tanh, SmallModel().logits(images))
    #expect(distance > 1e-6 && distance < 5e-3)
  }

  @Test func recomputedBlocksGiveEqualGradients() throws {
    let (plain, recomputed) = (SmallModel(), try model("recomputed"))
    let images = plain.images(4)
    #expect(recomputed.gradients(images) == plain.gradients(images))
  }

  @Test func recomputationKeepsDropPathDraws() {
    let change: Change = { ($0.dropPath, $0.depth) = (0.5, 3) }
    let plain = SmallModel(change)
    let recomputed = SmallModel {
      change(&$0)
      $0.recomputeBlocks = true
    }
    let images = plain.images(6)
    #expect(recomputed.gradients(images) == plain.gradients(images))
  }

  @Test func theFixedTableIsTheSinusoid() throws {
    struct Operations: Decodable {
      struct Sinusoid: Decodable {
        let positions, width: Int
        let table: [Float]
      }
      let sinusoid: Sinusoid
    }
    let golden = try Fixtures.decode("operations.json", as: Operations.self).sinusoid
    let model = SmallModel {
      ($0.position, $0.distilled) = (.sinusoidal, true)
      ($0.imageSize, $0.width) = (4, golden.width)
    }
    let table = try #require(model.network.model.fixedPositions)
    #expect(table.shape == [1, golden.positions, golden.width])
    // Both sides round a double once.
    #expect(relativeDistance(table.array, golden.table) < 1e-7)
    #expect(SmallModel().network.model.fixedPositions == nil)
  }
}
