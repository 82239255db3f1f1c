import Archives
import Autograd
import Configuration
import Networks
import Tensors
import TestSupport
import Testing

/// What holds for every model of the RVT and FAN families.
@Suite struct RobustModelTests {
  static let names = RobustFixture.names

  private func model(
    _ name: String, _ change: (inout any Backbone) -> Void = { _ in }
  ) throws -> RobustModel {
    var backbone = try RobustModel(name).network.backbone
    change(&backbone)
    return RobustModel(backbone)
  }

  private func recomputing(_ backbone: inout any Backbone, dropPath: Double = 0, _ on: Bool = true)
  {
    if var options = backbone as? RobustVisionTransformer {
      (options.recomputeBlocks, options.dropPath) = (on, dropPath)
      backbone = options
    } else if var options = backbone as? FullyAttentionalNetwork {
      (options.recomputeBlocks, options.dropPath) = (on, dropPath)
      backbone = options
    }
  }

  @Test(arguments: names) func everyWeightReceivesAGradient(_ name: String) throws {
    let model = try model(name)
    let slab = model.gradients(model.images(3)).slab
    for entry in model.network.parameters.layout.entries {
      #expect(slab[entry.range].contains { $0 != 0 }, "\(entry.name) receives none")
      #expect(slab[entry.range].allSatisfy { $0.isFinite }, "\(entry.name)")
    }
  }

  /// Of every block its output and its attention, whose rows are distributions.
  @Test(arguments: names) func everyBlockCanBeTapped(_ name: String) throws {
    let model = try model(name)
    let (outputs, attentions) = (
      model.network.model.blockOutputs, model.network.model.attentions
    )
    #expect(!outputs.isEmpty && outputs.count == attentions.count)
    let taps = Taps(outputs + attentions.map(\.name))
    _ = model.logits(model.images(2), taps: taps)
    for (output, attention) in zip(outputs, attentions) {
      let tokens = try #require(taps.values[output]).shape
      let weights = try #require(taps.values[attention.name]).tensor
      #expect(tokens.rank == 3 && weights.shape.rank == 4 && tokens[0] == 2)
      #expect(weights.shape == [2, attention.heads, tokens[1], attention.keys])
      for row in 0..<weights.shape.rows {
        let sum = Elementwise.sum(weights.pointer + row * tokens[1], count: tokens[1])
        #expect(isClose(sum, 1, absolute: 1e-5))
      }
    }
  }

  /// Batch statistics are for training: judged, an image does not depend on its neighbours.
  @Test(arguments: names) func evaluationTakesImagesOneByOne(_ name: String) throws {
    let model = try model(name)
    let images = model.images(3)
    let together = model.logits(images)
    let alone = (0..<3).flatMap { model.logits(images.slice($0..<$0 + 1)) }
    #expect(relativeDistance(alone, together) < 1e-5)
    #expect(model.logits(images) == together)
  }

  @Test(arguments: names) func aTapeOfInputsGivesTheSamePixelGradients(_ name: String) throws {
    let model = try model(name)
    let images = model.images(3)
    for phase in [Phase.training, .evaluation] {
      let attack = model.gradients(images, phase, tracksParameters: false)
      #expect(attack.pixels == model.gradients(images, phase).pixels)
      #expect(attack.slab.allSatisfy { $0 == 0 })
    }
  }

  /// With drop path on, its draws are the same again; statistics are counted once.
  @Test(arguments: names) func recomputedBlocksGiveEqualGradients(_ name: String) throws {
    let plain = try model(name) { recomputing(&$0, dropPath: 0.4, false) }
    let recomputed = try model(name) { recomputing(&$0, dropPath: 0.4) }
    let images = plain.images(4)
    #expect(recomputed.gradients(images).slab == plain.gradients(images).slab)
    let still = try model(name)
    #expect(still.gradients(images).slab != plain.gradients(images).slab, "nothing was dropped")
    #expect(still.logits(images) == plain.logits(images))
  }

  @Test(arguments: names) func aSecondPassTakesNoNewMemory(_ name: String) throws {
    let model = try model(name)
    let images = model.images(3)
    _ = model.gradients(images)
    let before = model.pool.statistics.allocations
    _ = model.gradients(images)
    #expect(model.pool.statistics.allocations == before)
  }

  /// PyTorch's files count the batches that were seen; ours have the statistics only.
  @Test(arguments: names) func filesCarryTheStatistics(_ name: String) throws {
    let folder = try ScratchFolder()
    let model = try model(name)
    try model.network.export(to: folder["a.safetensors"])
    let again = try Network(weights: folder["a.safetensors"], pool: BufferPool())
    for entry in model.network.parameters.layout.entries {
      #expect(again.parameters[entry].array == model.network.parameters[entry].array)
    }
    let norms = model.network.parameters.layout.entries.filter { $0.name.hasSuffix("running_var") }
    var entries = model.network.parameters.layout.entries.map {
      SafeTensorEntry($0.name, shape: $0.shape.extents, values: model.network.parameters[$0].array)
    }
    entries += norms.map {
      SafeTensorEntry(
        $0.name.replacing("running_var", with: "num_batches_tracked"), shape: [], values: [12])
    }
    try SafeTensors.write(entries, to: folder["torch.safetensors"])
    try again.load(try SafeTensors.read(folder["torch.safetensors"]), heads: .refuse)
  }
}
