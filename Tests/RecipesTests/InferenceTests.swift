import Collectives
import Datasets
import Networks
import Recipes
import Tensors
import TestSupport
import Testing

@Suite struct InferenceTests {
  private let folder: ScratchFolder

  /// Two sets with the same number of images, which differ in their pixels.
  init() throws {
    folder = try ScratchFolder()
    for (name, seed) in [("one", UInt64(1)), ("other", 2)] {
      var options = SyntheticOptions()
      (options.count, options.imageSize, options.seed) = (40, 8, seed)
      _ = try ShardBuilder().build(
        SampleSourceInput(try SyntheticImages(options, split: .train), identity: name),
        output: folder[name])
    }
  }

  private static func inference(_ path: String, _ pool: BufferPool) -> Inference {
    var model = VisionTransformer()
    (model.imageSize, model.patchSize, model.width, model.depth) = (8, 4, 32, 2)
    (model.heads, model.classes) = (2, 10)
    var inference = Inference(Network(model, seed: 1, pool: pool), data: [path])
    inference.chunk = 16
    return inference
  }

  @Test(arguments: [1, 2, 3]) func allRanksHaveTheSameScores(_ ranks: Int) throws {
    let (path, pool) = (folder["one"], BufferPool())
    let alone = try Self.inference(path, pool).evaluate(on: SoloCommunicator(), pool: pool)
    let all = try ThreadCommunicator.run(ranks: ranks) { group in
      let pool = BufferPool()
      return try Self.inference(path, pool).evaluate(on: group, pool: pool)
    }
    #expect(alone.samples == 40)
    for result in all {
      #expect(result.samples == alone.samples && result.loss == alone.loss)
    }
  }

  @Test func otherDataOnOneRankAreRefusedByAll() throws {
    let (one, other) = (folder["one"], folder["other"])
    let errors = try ThreadCommunicator.run(ranks: 3) { group in
      let pool = BufferPool()
      let error = #expect(throws: CollectiveError.self) {
        try Self.inference(group.rank == 1 ? other : one, pool).evaluate(on: group, pool: pool)
      }
      return "\(String(describing: error))"
    }
    #expect(errors.allSatisfy { $0.contains("do not agree on data") }, "\(errors)")
  }
}
