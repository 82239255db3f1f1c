import Collectives
import Foundation

/// Finds checkpoints that can be trusted. Rank 0 lists folders and reads manifests and tells the
/// others, since a network file system may show them other names; the data is verified in shares.
struct CheckpointFinder {
  let communicator: any Communicator

  /// A checkpoint folder's name for a step, and back.
  static func name(step: Int) -> String { "step_" + ShardFormat.padded(step, to: 8) }

  static func step(of name: String) -> Int? {
    guard name.hasPrefix("step_"), let step = Int(name.dropFirst(5)), self.name(step: step) == name
    else { return nil }
    return step
  }

  /// Steps for which a folder of that name exists, newest first. For rank 0 only.
  static func steps(in directory: String) -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.compactMap { step(of: $0) }.sorted(by: >)
  }

  /// The newest checkpoint in `directory` that verifies; those skipped are told to `skipped`.
  func newest(in directory: String, skipped: (CheckpointError) -> Void) throws
    -> CheckpointManifest?
  {
    let names = try communicator.onRoot {
      Self.steps(in: directory).map { Self.name(step: $0) }.joined(separator: "\n")
    }
    for name in names.split(separator: "\n") {
      do {
        return try open(directory + "/" + name)
      } catch let error as CheckpointError {
        skipped(error)
      }
    }
    return nil
  }

  /// The checkpoint in one folder; throws on all ranks, naming file and tensor, if it is damaged.
  func open(_ folder: String) throws -> CheckpointManifest {
    let text = try communicator.onRoot {
      String(decoding: try CheckpointManifest.read(from: folder).encoded(), as: UTF8.self)
    }
    let manifest = try CheckpointManifest.decoded(Array(text.utf8), folder: folder)
    _ = try communicator.onAll {
      for index in stride(from: communicator.rank, to: manifest.files.count, by: communicator.size)
      {
        if let damage = try manifest.damage(ofFile: index).first { throw damage }
      }
      return ""
    }
    return manifest
  }
}

extension CheckpointManifest {
  /// Reads one shard file whole and compares it with its checksums and with this manifest.
  func damage(ofFile index: Int) throws -> [CheckpointError] {
    let file = files[index]
    let reader: ShardReader
    do {
      reader = try ShardReader(path + "/" + file.name)
    } catch let error as CheckpointError {
      return [error]
    }
    let isWhole = try reader.size == file.bytes && reader.contentChecksum() == file.crc32c
    if isWhole && reader.table.rank == index && reader.table.ranks == ranks { return [] }
    let blocks = try reader.damagedBlocks()
    if !blocks.isEmpty { return blocks.map { damage(of: $0, in: reader) } }
    return [.damaged(reader.path, "the file is not the one that the manifest names")]
  }

  private func damage(of block: Range<Int>, in reader: ShardReader) -> CheckpointError {
    let tensors = reader.table.records.filter { $0.bytes.overlaps(block) }.map { record in
      let stride = MemoryLayout<Float>.stride
      let first = max(block.lowerBound, record.offset) - record.offset
      let last = min(block.upperBound, record.bytes.upperBound) - record.offset
      let elements = record.start + first / stride..<record.start + last / stride
      let names = parameters(in: elements, of: record.slab)
      let list = names.prefix(3).joined(separator: ", ")
      let more = names.count > 3 ? " and \(names.count - 3) more" : ""
      return "\(record.slab), elements \(elements) (\(names.isEmpty ? "padding" : list + more))"
    }
    return .damaged(
      reader.path,
      "bytes \(block) of the data do not match their checksum: " + tensors.joined(separator: "; "))
  }
}
