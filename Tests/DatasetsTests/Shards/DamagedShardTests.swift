import Archives
import Datasets
import Tensors
import TestSupport
import Testing

/// Cut and changed files: an `ArchiveError` or a successful reading, nothing else.
@Suite struct DamagedShardTests {
  private func readAll(_ path: String, split: String = "") throws {
    let set = try ShardSet(path, split: split)
    var bytes: [UInt8] = []
    for index in 0..<set.count {
      _ = try set.read(index, into: &bytes)
      _ = set.describe(index)
    }
  }

  private func expectNoCrash(_ path: String, split: String = "") {
    do { try readAll(path, split: split) } catch {
      #expect(error is ArchiveError, "\(error)")
    }
  }

  private func bytes(of path: String) throws -> [UInt8] {
    let reader = try FileReader(path)
    return try reader.bytes(at: 0, count: reader.size)
  }

  /// Files to damage, with the split to open.
  private func victims(_ folder: ScratchFolder) throws -> [(bytes: [UInt8], split: String)] {
    for storage in ShardWriter.Storage.allCases {
      try FileSystem.makeFolder(folder[storage.rawValue])
      try CountedImages.writeSet(in: folder[storage.rawValue], storage, files: 1)
    }
    return [
      (try bytes(of: folder["raw/counted-00000-of-00001.h5"]), ""),
      (try bytes(of: folder["encoded/counted-00000-of-00001.h5"]), ""),
      (try bytes(of: CountedImages.fixture("fuel_ilsvrc2012.h5")), "train"),
      (try bytes(of: CountedImages.fixture("gzip.h5")), ""),
    ]
  }

  @Test func cutFilesNeverCrash() throws {
    let folder = try ScratchFolder()
    for (number, victim) in try victims(folder).enumerated() {
      let key = RandomKey(seed: 7, .synthesis, sample: number)
      for draw in 0..<60 {
        let count = key.below(victim.bytes.count, draw)
        let path = try folder.write("cut.h5", Array(victim.bytes[..<count]))
        // Without its last 40 bytes a shard only lacks the seal.
        guard count < victim.bytes.count - 40 else { continue }
        let error = try #require(throws: ArchiveError.self) {
          try readAll(path, split: victim.split)
        }
        #expect(error.path.hasPrefix(path))
      }
    }
  }

  @Test func changedBytesNeverCrash() throws {
    let folder = try ScratchFolder()
    for (number, victim) in try victims(folder).prefix(2).enumerated() {
      let key = RandomKey(seed: 8, .synthesis, sample: number)
      for draw in 0..<200 {
        var damaged = victim.bytes
        damaged[key.below(damaged.count, 2 * draw)] ^= UInt8(1 + key.below(255, 2 * draw + 1))
        expectNoCrash(try folder.write("changed.h5", damaged), split: victim.split)
      }
    }
  }

  @Test func positionsThatRunBackwardsAreRefused() throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .encoded, files: 1)
    let path = folder["counted-00000-of-00001.h5"]
    let file = try HDF5File(updating: path)
    try file.dataset("offsets").write([UInt64(1)], at: [2], count: [1])
    try file.close()
    let error = try #require(throws: ArchiveError.self) { try ShardSet(path) }
    #expect(error.path == "\(path): offsets")
    #expect(error.description.contains("position 2 is 1, below the one before (10)"))
  }

  @Test func labelsOutOfRangeAreRefused() throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .raw, files: 1)
    let path = folder["counted-00000-of-00001.h5"]
    for label: Int64 in [-1, 3, 1 << 40] {
      let file = try HDF5File(updating: path)
      try file.dataset("labels").write([label], at: [4], count: [1])
      try file.close()
      let error = try #require(throws: ArchiveError.self) { try ShardSet(path) }
      #expect(error.description.contains("label \(label) at 4 is out of range"))
    }
  }
}
