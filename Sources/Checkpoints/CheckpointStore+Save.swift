import Archives
import Collectives

extension CheckpointStore {
  /// Writes and commits a checkpoint; durable when it returns. The protocol:
  ///
  /// 1. Rank 0 checks the free space and creates `step_XXXXXXXX.tmp`.
  /// 2. Every rank writes its shard file, syncs it and the folder, and tells size and checksum.
  /// 3. Rank 0 writes `manifest.json`, syncs it and the folder: all files are durable now.
  /// 4. Rank 0 renames the folder to `step_XXXXXXXX` and syncs the parent: it exists now.
  /// 5. Rank 0 deletes what the retention options do not keep.
  ///
  /// If a rank fails, all throw its error, and nothing that was committed has changed.
  @discardableResult
  public func save(_ content: CheckpointContent) throws -> CheckpointManifest {
    let final = directory + "/" + CheckpointFinder.name(step: content.step)
    let temporary = final + ".tmp"
    do {
      try begin(content, temporary)
      let files = try writeShards(content, temporary)
      var manifest = CheckpointManifest(content, files: files)
      manifest.path = final
      _ = try communicator.onRoot {
        try writeManifest(manifest, temporary)
        try commit(temporary, as: final)
        return ""
      }
      try retire(after: content.step)
      return manifest
    } catch let error as CheckpointError {
      // Space matters most when it has run out; the error that was thrown is the one to report.
      if communicator.isRoot { try? Self.remove(temporary) }
      throw error
    }
  }

  private func begin(_ content: CheckpointContent, _ temporary: String) throws {
    let bytes = content.slabs.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
    let needed = try communicator.allReduce(bytes, by: .sum) + (1 << 20)
    _ = try communicator.onRoot {
      let free = freeBytes(directory)
      guard free < 0 || free >= needed else {
        throw CheckpointError(
          .inputOutput, path: directory,
          "a checkpoint takes \(needed >> 20) MiB but only \(free >> 20) MiB are free",
          remedy: "Free space, or lower checkpoints.keepLast")
      }
      try Self.remove(temporary)
      try Self.create(temporary)
      try passed("folder created")
      return ""
    }
  }

  private func writeShards(_ content: CheckpointContent, _ temporary: String) throws
    -> [CheckpointManifest.File]
  {
    let ranks = communicator.size
    let name = { (rank: Int) in ShardFormat.fileName(rank: rank, ranks: ranks) }
    let texts = try communicator.onAll {
      let rank = communicator.rank
      let writer = ShardWriter(path: temporary + "/" + name(rank), passed: passed)
      let (bytes, crc) = try writer.write(content.slabs, rank: rank, ranks: ranks)
      try FileSystem.synchronizeFolder(temporary)
      return "\(bytes) \(crc)"
    }
    return texts.enumerated().map { rank, text in
      let numbers = text.split(separator: " ")
      return CheckpointManifest.File(
        name: name(rank), bytes: Int(numbers[0]) ?? -1, crc32c: UInt32(numbers[1]) ?? 0)
    }
  }

  private func writeManifest(_ manifest: CheckpointManifest, _ temporary: String) throws {
    let file = try DurableFile(temporary + "/" + CheckpointManifest.fileName)
    try passed("manifest created")
    try manifest.encoded().withUnsafeBytes { try file.write($0) }
    try passed("manifest written")
    try file.commit()
    try passed("manifest synced")
    try FileSystem.synchronizeFolder(temporary)
    try passed("folder synced")
  }

  /// The new checkpoint is durable; failing to delete an old one must not end the run.
  private func retire(after step: Int) throws {
    warning = try communicator.onRoot {
      do {
        try retire(current: step)
      } catch let error as CheckpointError {
        return error.description
      } catch let error as ArchiveError {
        return error.description
      }
      return ""
    }
  }
}
