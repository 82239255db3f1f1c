import Collectives

/// Reads elements of slabs out of a checkpoint written by any number of ranks: each rank reads the
/// records that overlap what it wants, and only those bytes.
struct CheckpointLoader {
  let manifest: CheckpointManifest

  /// Fills the ranges of `slabs`. Throws if the checkpoint lacks any of their elements.
  func load(_ slabs: [CheckpointSlab]) throws {
    for slab in slabs where !manifest.slabs.contains(slab.name) {
      throw CheckpointError(
        .badData, path: manifest.path,
        "the checkpoint has no \(slab.name), only \(manifest.slabs.joined(separator: ", "))",
        remedy: "Use the optimizer and averaging that the checkpoint was written with")
    }
    var missing = slabs.map(\.count)
    for file in manifest.files {
      let reader = try ShardReader(manifest.path + "/" + file.name)
      for record in reader.table.records {
        for (i, slab) in slabs.enumerated() where slab.name == record.slab {
          missing[i] -= try Self.copy(record, from: reader, to: slab)
        }
      }
    }
    for (slab, count) in zip(slabs, missing) where count != 0 {
      throw CheckpointError.damaged(
        manifest.path,
        "\(slab.name): \(abs(count)) elements are in \(count > 0 ? "no" : "two") files")
    }
  }

  /// Copies what the record and the slab's pieces have in common; returns how many elements.
  private static func copy(
    _ record: ShardFormat.Record, from reader: ShardReader, to slab: CheckpointSlab
  ) throws -> Int {
    var copied = 0
    for piece in slab.pieces {
      let common = record.elements.clamped(to: piece.elements)
      if common.isEmpty { continue }
      let target = piece.pointer + (common.lowerBound - piece.elements.lowerBound)
      try reader.read(common, of: record, into: target)
      copied += common.count
    }
    return copied
  }
}
