import Archives
import Checkpoints
import Configuration
import Networks
import Tensors

extension Network {
  /// The model of a checkpoint with the weights that its run judges by: their average if it keeps
  /// one.
  ///
  /// - Parameters:
  ///   - path: a folder `step_XXXXXXXX`, or one that holds such; then the newest sound one.
  ///   - slab: `parameters` or `average`; empty for the choice above.
  public init(checkpoint path: String, slab: String = "", pool: BufferPool) throws {
    let files = try CheckpointFiles(path)
    let manifest = files.manifest
    let backbone: any Backbone
    do {
      backbone = try Choice<BackboneCatalog>(yaml: manifest.model, name: manifest.path).value
    } catch let error as ConfigurationError {
      throw CheckpointError(
        .badData, path: manifest.path, "its model cannot be built: \(error)",
        remedy: "Use the version of vitdist that wrote it (\(manifest.vitdistVersion))")
    }
    self.init(backbone, seed: 0, pool: pool)
    try manifest.check(parameters.layout, allowingMore: true)
    let best = manifest.slabs.contains("average") ? "average" : "parameters"
    let chosen = slab.isEmpty ? best : slab
    guard manifest.slabs.contains(chosen) else {
      throw CheckpointError(
        .badData, path: manifest.path, "there is no slab \(chosen)",
        remedy: "Choose one of \(manifest.slabs.joined(separator: ", "))")
    }
    let values = try files.read(chosen)
    for entry in parameters.layout.entries {
      _ = parameters[entry].elements.update(from: values[entry.range])
    }
  }
}
