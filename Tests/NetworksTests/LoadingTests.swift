import Archives
import Autograd
import Networks
import Tensors
import TestSupport
import Testing

@Suite struct LoadingTests {
  /// The tensors of a model as a file's entries, to be changed before they are written.
  private func entries(_ network: Network) -> [SafeTensorEntry] {
    network.parameters.layout.entries.map {
      SafeTensorEntry(
        $0.name, shape: $0.shape.extents, values: network.parameters[$0].array)
    }
  }

  private func load(
    _ entries: [SafeTensorEntry], into network: Network, heads: HeadMismatch = .refuse
  ) throws -> LoadReport {
    let folder = try ScratchFolder()
    try SafeTensors.write(entries, to: folder["w.safetensors"])
    return try network.load(try SafeTensors.read(folder["w.safetensors"]), heads: heads)
  }

  private func refusal(
    _ entries: [SafeTensorEntry], into network: Network, heads: HeadMismatch = .refuse
  ) throws -> String {
    let error = try #require(throws: ArchiveError.self) {
      try load(entries, into: network, heads: heads)
    }
    #expect(error.kind == .badData && error.path.hasSuffix("w.safetensors"))
    return error.description
  }

  private func fresh(_ change: (inout VisionTransformer) -> Void = { _ in }) -> Network {
    var options = SmallModel.options
    change(&options)
    return Network(options, seed: 9, pool: BufferPool())
  }

  @Test func halfPrecisionIsWidenedExactly() throws {
    let source = SmallModel().network
    for type in [SafeTensorType.f32, .f16, .bf16] {
      func round(_ x: Float) -> Float {
        switch type {
        case .f16: Float(Float16(x))
        case .bf16: Float(bitPattern: x.bitPattern & 0xFFFF_0000)
        default: x
        }
      }
      let halves = source.parameters.layout.entries.map { entry in
        let values = source.parameters[entry].array.map(round)
        let bytes = values.flatMap { value -> [UInt8] in
          switch type {
          case .f16: withUnsafeBytes(of: Float16(value)) { Array($0) }
          case .bf16: withUnsafeBytes(of: UInt16(value.bitPattern >> 16)) { Array($0) }
          default: withUnsafeBytes(of: value) { Array($0) }
          }
        }
        return SafeTensorEntry(entry.name, type: type, shape: entry.shape.extents, bytes: bytes)
      }
      let network = fresh()
      let report = try load(halves, into: network)
      #expect(report.freshHeads.isEmpty && report.positionGrids == (from: 0, to: 0))
      for entry in network.parameters.layout.entries {
        let expected = source.parameters[entry].array.map(round)
        #expect(network.parameters[entry].array == expected, "\(type) \(entry.name)")
      }
    }
  }

  @Test func missingAndForeignTensorsAreNamed() throws {
    var tensors = entries(SmallModel().network)
    tensors.removeAll { $0.name == "norm.bias" || $0.name == "blocks.1.mlp.fc1.weight" }
    tensors.append(
      SafeTensorEntry("head_dist.bias", shape: [10], values: Array(repeating: 0, count: 10)))
    let message = try refusal(tensors, into: fresh())
    for name in ["norm.bias", "blocks.1.mlp.fc1.weight", "head_dist.bias", "2 tensors are missing"]
    {
      #expect(message.contains(name), "\(message)")
    }
  }

  @Test func aWrongShapeNamesTensorExpectedAndFound() throws {
    let message = try refusal(entries(fresh { $0.width = 64 }), into: fresh())
    for name in ["cls_token", "[1, 1, 64]", "[1, 1, 32]"] {
      #expect(message.contains(name), "\(message)")
    }
  }

  /// A file of another model differs in names and in shapes: the shapes tell which model it is.
  @Test func shapesAreReportedBeforeMissingTensors() throws {
    let message = try refusal(entries(fresh { $0.width = 64 }), into: fresh { $0.depth = 5 })
    #expect(message.contains("cls_token") && message.contains("[1, 1, 64]"), "\(message)")
  }

  @Test func headsForOtherClassesAreRefusedOrStartAfresh() throws {
    let seven = fresh { $0.classes = 7 }
    let tensors = entries(SmallModel().network)
    let message = try refusal(tensors, into: seven)
    #expect(message.contains("head.weight") && message.contains("[10, 32]"), "\(message)")

    let before = seven.parameters[seven.parameters.layout["head.weight"]!].array
    let report = try load(tensors, into: seven, heads: .startAfresh)
    #expect(report.freshHeads == ["head.weight", "head.bias"])
    #expect(seven.parameters[seven.parameters.layout["head.weight"]!].array == before)
    let token = seven.parameters[seven.parameters.layout["cls_token"]!].array
    #expect(token == CountedValues.parameter("cls_token", shape: [1, 1, 32]))
  }

  @Test func positionsGoToAnotherGrid() throws {
    let source = SmallModel { $0.distilled = true }
    let large = fresh { ($0.distilled, $0.imageSize) = (true, 12) }
    let report = try load(entries(source.network), into: large)
    #expect(report.positionGrids == (from: 4, to: 6))
    let rows = CountedValues.parameter("pos_embed", shape: [1, 18, 32])
    let expected = PositionInterpolation.antialiased.resize(
      rows, prefix: 2, from: 4, to: 6, width: 32)
    let entry = try #require(large.parameters.layout["pos_embed"])
    #expect(large.parameters[entry].array == expected)
  }

  @Test func positionsOfNoSquareGridAreRefused() throws {
    var tensors = entries(SmallModel().network)
    tensors.removeAll { $0.name == "pos_embed" }
    tensors.append(
      SafeTensorEntry("pos_embed", shape: [1, 8, 32], values: Array(repeating: 0, count: 256)))
    let message = try refusal(tensors, into: fresh())
    #expect(message.contains("pos_embed") && message.contains("[1, 8, 32]"), "\(message)")
  }

  /// timm's file of a plain DeiT lacks the second token and head.
  @Test func aPlainModelIsNoDistilledOne() throws {
    let message = try refusal(entries(SmallModel().network), into: fresh { $0.distilled = true })
    for name in ["dist_token", "head_dist.weight", "head_dist.bias"] {
      #expect(message.contains(name), "\(message)")
    }
  }

  @Test func aFileWithoutDescriptionNeedsAName() throws {
    let folder = try ScratchFolder()
    try SafeTensors.write(entries(SmallModel().network), to: folder["w.safetensors"])
    let error = try #require(throws: ArchiveError.self) {
      try Network(weights: folder["w.safetensors"], pool: BufferPool())
    }
    #expect(error.description.contains("--model"))
  }
}
