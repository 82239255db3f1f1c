import Archives
import Configuration
import Tensors

extension Network {
  /// Writes a safetensors file with timm's tensor names and, as metadata, what the model is.
  ///
  /// - Parameters:
  ///   - values: slab of the model's layout to write; its own weights if nil (a moving average, say).
  public func export(
    to path: String, precision: SafeTensors.Precision = .f32,
    values: UnsafePointer<Float>? = nil
  ) throws {
    let slab = values ?? UnsafePointer(parameters.values)
    var entries = parameters.layout.modelEntries.map { entry in
      SafeTensorEntry(entry.name, shape: entry.shape.extents) { use in
        try use(UnsafeBufferPointer(start: slab + entry.offset, count: entry.shape.count))
      }
    }
    // A fixed table is part of the function: without it timm would invent one.
    if let table = model.fixedPositions {
      entries.append(
        SafeTensorEntry("pos_embed", shape: table.shape.extents, values: table.array))
    }
    let (mean, deviation) = (model.description.mean, model.description.deviation)
    try SafeTensors.write(
      entries,
      metadata: [
        "format": "pt",
        Self.descriptionKey: ValueTree(encoding: backbone.choice).json,
        "mean": mean.map { "\($0)" }.joined(separator: ","),
        "std": deviation.map { "\($0)" }.joined(separator: ","),
      ], to: path, as: precision)
  }
}
