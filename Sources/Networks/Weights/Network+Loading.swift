import Archives
import Autograd
import Configuration
import Tensors

/// What loading a weights file did besides copying.
public struct LoadReport: Sendable, Equatable {
  /// Tensors of the heads that kept their initial values, since the file has other classes.
  public var freshHeads: [String] = []
  /// Grids between which the position embedding was interpolated; equal if it was not.
  public var positionGrids = (from: 0, to: 0)

  public static func == (a: LoadReport, b: LoadReport) -> Bool {
    a.freshHeads == b.freshHeads && a.positionGrids == b.positionGrids
  }
}

/// What to do when a file's heads are for another number of classes.
public enum HeadMismatch: Sendable {
  /// Evaluation: a model without its head is worth nothing.
  case refuse
  /// Fine-tuning: the heads keep their initial values.
  case startAfresh
}

extension Network {
  /// A network as a weights file describes it, with its weights.
  ///
  /// - Parameter model: the architecture, for a file that does not describe itself (timm's). The
  ///   number of classes is then the file's.
  public init(
    weights path: String, model: Choice<BackboneCatalog>? = nil, pool: BufferPool
  ) throws {
    try self.init(weights: path, model: model, pool: pool) { layout in
      (ParameterSlab(layout, from: pool), true)
    }
  }

  /// The same with the weights in memory that `place` names for their layout.
  ///
  /// - Parameter place: the slab, and whether it is to be filled: not by a rank that has it in common with
  ///   another that does.
  public init(
    weights path: String, model: Choice<BackboneCatalog>? = nil, pool: BufferPool,
    in place: (ParameterLayout) throws -> (slab: ParameterSlab, fills: Bool)
  ) throws {
    let file = try SafeTensors.read(path)
    var backbone = try model?.value ?? Self.described(by: file)
    if model != nil, let head = file["head.weight"], head.shape.count == 2 {
      backbone.classes = head.shape[0]
    }
    try backbone.validate()
    let declarations = ParameterDeclarations()
    let classifier = backbone.build(in: declarations.root, pool: pool)
    let (slab, fills) = try place(declarations.layout)
    self.init(backbone: backbone, model: classifier, parameters: slab)
    if fills { try load(file, heads: .refuse) }
  }

  /// The metadata key under which `export` describes the model.
  static let descriptionKey = "vitdist.model"

  private static func described(by file: SafeTensorsFile) throws -> any Backbone {
    guard let text = file.metadata[descriptionKey] else {
      throw ArchiveError(
        .badData, path: file.path, "the file does not say which model it belongs to",
        remedy: "Give --model NAME (vitdist list models)")
    }
    do {
      return try Choice<BackboneCatalog>(yaml: text, name: "metadata of \(file.path)").value
    } catch let error as ConfigurationError {
      throw ArchiveError(
        .badData, path: file.path, "its description of the model cannot be used: \(error)",
        remedy: "Give --model NAME, or export the weights again")
    }
  }

  /// Copies every tensor of the model from `file`, which must have exactly those.
  @discardableResult
  public func load(
    _ file: SafeTensorsFile, heads: HeadMismatch,
    interpolation: PositionInterpolation = .antialiased
  ) throws -> LoadReport {
    try checkShapes(file, heads: heads)
    try checkNames(file)
    try checkFixedPositions(file)
    var report = LoadReport()
    for entry in parameters.layout.modelEntries {
      guard let info = file[entry.name] else { continue }
      if holds(info, entry) {
        try file.read(entry.name, into: parameters[entry].elements)
      } else if entry.name == "pos_embed" {
        report.positionGrids = try loadPositions(file, info, entry, interpolation)
      } else {
        report.freshHeads.append(entry.name)
      }
    }
    return report
  }

  /// A position embedding may have or lack an outer axis of one.
  private func holds(_ info: SafeTensorInfo, _ entry: ParameterLayout.Entry) -> Bool {
    info.shape == entry.shape.extents
      || (entry.name == "pos_embed" && info.elementCount == entry.shape.count
        && info.shape.last == entry.shape[-1])
  }

  /// Comes before the names: weights of another size differ in both, and shapes say more.
  private func checkShapes(_ file: SafeTensorsFile, heads: HeadMismatch) throws {
    for entry in parameters.layout.modelEntries {
      guard let info = file[entry.name], !holds(info, entry), entry.name != "pos_embed" else {
        continue
      }
      if entry.name.hasPrefix("head"), heads == .startAfresh { continue }
      throw ArchiveError(
        .badData, path: file.path,
        "tensor \(entry.name) has shape \(info.shape), the model expects "
          + "\(entry.shape.extents)",
        remedy: "Give the weights of this model, or the model of these weights")
    }
  }

  /// Names ten of the tensors that are missing or too many.
  private func checkNames(_ file: SafeTensorsFile) throws {
    let expected = Set(parameters.layout.modelEntries.map(\.name))
    // PyTorch counts the batches that its running statistics have seen; nothing here asks.
    let present = Set(file.tensors.map(\.name).filter { !$0.hasSuffix(".num_batches_tracked") })
    let fixedPosition = expected.contains("pos_embed") ? [] : ["pos_embed"]
    let missing = expected.subtracting(present).sorted()
    let extra = present.subtracting(expected).subtracting(fixedPosition).sorted()
    guard !missing.isEmpty || !extra.isEmpty else { return }
    func list(_ names: [String]) -> String {
      names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
    }
    var parts: [String] = []
    if !missing.isEmpty { parts.append("\(missing.count) tensors are missing: \(list(missing))") }
    if !extra.isEmpty { parts.append("\(extra.count) are not the model's: \(list(extra))") }
    throw ArchiveError(
      .badData, path: file.path, parts.joined(separator: "; "),
      remedy: "Give the weights of this model, or the model of these weights")
  }

  /// A model whose position embedding is a fixed table takes no other from a file.
  private func checkFixedPositions(_ file: SafeTensorsFile) throws {
    guard let table = model.fixedPositions, file["pos_embed"] != nil else { return }
    let values = try file.values("pos_embed")
    // The table is what export writes, at the worst rounded to bf16.
    let isTable =
      values.count == table.count
      && zip(values, table.elements).allSatisfy { abs($0 - $1) <= 0x1p-8 }
    guard !isTable else { return }
    throw ArchiveError(
      .badData, path: file.path,
      "tensor pos_embed is learned, the model's position embedding is a fixed table",
      remedy: "Set model.position: learned, or give weights of a model with a fixed table")
  }

  private func loadPositions(
    _ file: SafeTensorsFile, _ info: SafeTensorInfo, _ entry: ParameterLayout.Entry,
    _ interpolation: PositionInterpolation
  ) throws -> (from: Int, to: Int) {
    let width = entry.shape[-1]
    let grid = backbone.gridSize
    let prefix = entry.shape.count / width - grid * grid
    let patches = info.elementCount / width - prefix
    let from = Int(Double(max(patches, 0)).squareRoot().rounded())
    guard info.shape.last == width, from * from == patches, from > 0 else {
      throw ArchiveError(
        .badData, path: file.path,
        "tensor pos_embed has shape \(info.shape), which is no square grid of width \(width) "
          + "with \(prefix) tokens before it",
        remedy: "Give the weights of this model, or the model of these weights")
    }
    let rows = try file.values("pos_embed")
    let resized = interpolation.resize(rows, prefix: prefix, from: from, to: grid, width: width)
    _ = parameters[entry].elements.update(from: resized)
    return (from, grid)
  }
}
