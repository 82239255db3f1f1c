import Archives
import Autograd
import Networks
import Tensors
import TestSupport
import Testing

@Suite struct ExportTests {
  private func bytes(_ path: String) throws -> [UInt8] {
    let reader = try FileReader(path)
    return try reader.bytes(at: 0, count: reader.size)
  }

  @Test(arguments: ["token", "distilled", "mean", "sinusoidal"])
  func exportThenLoadGivesEqualBytes(_ variant: String) throws {
    let folder = try ScratchFolder()
    let model = SmallModel {
      $0.distilled = variant == "distilled"
      $0.pooling = variant == "mean" ? .mean : .token
      $0.position = variant == "sinusoidal" ? .sinusoidal : .learned
      $0.gelu = .tanh
    }
    try model.network.export(to: folder["a.safetensors"])
    let again = try Network(weights: folder["a.safetensors"], pool: BufferPool())
    try again.export(to: folder["b.safetensors"])
    #expect(try bytes(folder["a.safetensors"]) == bytes(folder["b.safetensors"]))
    #expect(again.backbone as? VisionTransformer == model.network.backbone as? VisionTransformer)
  }

  @Test func bfloat16RoundsToNearestEven() throws {
    let folder = try ScratchFolder()
    let model = SmallModel()
    let head = try #require(model.network.parameters.layout["head.bias"])
    let edges: [Float] = [
      0, -0.0, 1, 1 + 0x1p-8, 1 + 0x1p-7 + 0x1p-8, 1 + 0x1p-8 + 0x1p-20, -1 - 0x1p-8, 3e38, 1e-30,
      0.1,
    ]
    _ = model.network.parameters[head].elements.update(from: edges)
    try model.network.export(to: folder["w.safetensors"], precision: .bf16)
    let file = try SafeTensors.read(folder["w.safetensors"])
    // Ties go to the even neighbour: 1 + 2⁻⁸ down, 1 + 2⁻⁷ + 2⁻⁸ up.
    let found = try file.values("head.bias")
    #expect(found.prefix(7) == [0, 0, 1, 1, 1 + 0x1p-6, 1 + 0x1p-7, -1])
    for entry in model.network.parameters.layout.entries {
      #expect(file[entry.name]?.type == .bf16)
      let values = model.network.parameters[entry].array
      for (value, half) in zip(values, try file.values(entry.name)) {
        let bits = value.bitPattern
        let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000
        #expect(half.bitPattern == rounded, "\(entry.name): \(value)")
      }
    }
  }

  /// Without the table in the file timm would invent a position embedding.
  @Test func sinusoidalModelsExportTheirTable() throws {
    let folder = try ScratchFolder()
    let model = SmallModel { $0.position = .sinusoidal }
    try model.network.export(to: folder["w.safetensors"])
    let file = try SafeTensors.read(folder["w.safetensors"])
    #expect(file["pos_embed"]?.shape == [1, 17, 32])
    #expect(try file.values("pos_embed") == model.network.model.fixedPositions?.array)
  }

  @Test func theFileSaysWhatTheModelIs() throws {
    let folder = try ScratchFolder()
    let model = SmallModel()
    try model.network.export(to: folder["w.safetensors"])
    let metadata = try SafeTensors.read(folder["w.safetensors"]).metadata
    #expect(metadata["format"] == "pt" && metadata["mean"] == "0.5" && metadata["std"] == "0.25")
    let names = try SafeTensors.read(folder["w.safetensors"]).tensors.map(\.name)
    #expect(Set(names) == Set(model.network.parameters.layout.entries.map(\.name)))
  }

  /// A moving average, say: other values of the same layout.
  @Test func otherValuesCanBeExported() throws {
    let folder = try ScratchFolder()
    let model = SmallModel()
    let other = SmallModel { _ in }
    for i in 0..<other.network.parameters.layout.count { other.network.parameters.values[i] *= 2 }
    try model.network.export(
      to: folder["w.safetensors"], values: UnsafePointer(other.network.parameters.values))
    let doubled = CountedValues.parameter("cls_token", shape: [1, 1, 32]).map { 2 * $0 }
    #expect(try SafeTensors.read(folder["w.safetensors"]).values("cls_token") == doubled)
  }
}
