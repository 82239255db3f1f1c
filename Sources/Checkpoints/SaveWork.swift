import Archives

/// What ranks write of one checkpoint. No rank waits for another in here, so any thread may do it.
///
/// The memory of the content's slabs must stay as it is until the work is done.
struct SaveWork: @unchecked Sendable {
  let content: CheckpointContent
  let folder: CheckpointFolder
  /// On rank 0.
  let lock: FolderLock?
  let rank: Int
  let ranks: Int
  let freeBytes: @Sendable (String) -> Int

  var final: String { folder.name(step: content.step) }
  private var temporary: String { final + ".tmp" }

  /// Writes and syncs this rank's shard file, and reads it again.
  func writeShard() throws -> Shard {
    let start = ContinuousClock.now
    if rank == 0 { try checkSpace() }
    try folder.storage.makeFolder(temporary)
    let name = ShardFormat.fileName(rank: rank, ranks: ranks)
    let writer = ShardWriter(path: temporary + "/" + name, storage: folder.storage)
    let (bytes, crc) = try writer.write(content.slabs, rank: rank, ranks: ranks)
    if folder.options.readBack { try readBack(writer.path, bytes, crc) }
    return Shard(bytes: bytes, crc: crc, seconds: (ContinuousClock.now - start).inSeconds)
  }

  /// Rank 0, when all shards are there: the manifest, the final name, and what retention lets go.
  ///
  /// - Returns: why something that may go could not be deleted, or an empty text. The checkpoint is
  ///   durable all the same, so this must not end the run.
  func commit(_ shards: [Shard]) throws -> String {
    let file = try DurableFile(temporary + "/" + CheckpointManifest.fileName, on: folder.storage)
    try file.write(try manifest(shards).encoded())
    try file.commit()
    try lock?.check()
    try folder.commit(temporary, as: final)
    do {
      // Nothing is deleted unless the checkpoint that takes its place can be read.
      _ = try CheckpointManifest.read(from: final)
      try folder.retire(current: content.step)
    } catch let error as CheckpointError {
      return error.description
    } catch let error as ArchiveError {
      return error.description
    }
    return ""
  }

  func manifest(_ shards: [Shard]) -> CheckpointManifest {
    let files = shards.enumerated().map { rank, shard in
      CheckpointManifest.File(
        name: ShardFormat.fileName(rank: rank, ranks: ranks), bytes: shard.bytes,
        crc32c: shard.crc)
    }
    var manifest = CheckpointManifest(content, files: files)
    manifest.path = final
    return manifest
  }

  private func checkSpace() throws {
    let free = freeBytes(folder.path)
    let needed = content.bytes + (1 << 20)
    guard free < 0 || free >= needed else {
      throw CheckpointError(
        .inputOutput, path: folder.path,
        "a checkpoint takes \(needed >> 20) MiB but only \(free >> 20) MiB are free",
        remedy: "Free space, or lower checkpoints.keepLast")
    }
  }

  private func readBack(_ path: String, _ bytes: Int, _ crc: UInt32) throws {
    let reader = try ShardReader(path, fromDisk: true)
    guard try reader.size == bytes && reader.contentChecksum() == crc else {
      throw CheckpointError(
        .inputOutput, path: path, "what was written is not what can be read",
        remedy: "Check the file system, or choose another folder")
    }
  }

  /// What a rank tells of its file.
  struct Shard {
    let bytes: Int
    let crc: UInt32
    let seconds: Double

    init(bytes: Int, crc: UInt32, seconds: Double) {
      self.bytes = bytes
      self.crc = crc
      self.seconds = seconds
    }

    init(_ text: String) {
      let numbers = text.split(separator: " ")
      precondition(numbers.count == 3, "a shard is told by three numbers, not \(text)")
      bytes = Int(numbers[0]) ?? -1
      crc = UInt32(numbers[1]) ?? 0
      seconds = Double(numbers[2]) ?? 0
    }

    var text: String { "\(bytes) \(crc) \(seconds)" }
  }
}

extension Duration {
  var inSeconds: Double { self / .seconds(1) }
}
