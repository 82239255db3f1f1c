import Archives
import Datasets
import TestSupport
import Testing

@Suite struct ShardSetTests {
  @Test(arguments: ShardWriter.Storage.allCases)
  func whatIsWrittenIsRead(_ storage: ShardWriter.Storage) throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, storage)
    #expect(try FileSystem.list(folder.path).first == "counted-00000-of-00003.h5")
    let set = try ShardSet(folder.path)
    #expect(set.count == 10)
    #expect(set.classes == CountedImages.classes)
    var bytes: [UInt8] = []
    for index in (0..<10).reversed() {
      let stored = try set.read(index, into: &bytes)
      #expect(stored == (storage == .raw ? .raw(width: 5, height: 4, channels: 3) : .encoded))
      #expect(bytes == CountedImages.pixels(index, storage == .raw ? 60 : 10 + index))
      #expect(set.label(index) == index % 3)
      #expect(set.name(index) == "file\(index)")
    }
    #expect(set.describe(4) == "\(folder.path)/counted-00001-of-00003.h5, image 1 (file4)")
  }

  /// Positions and labels in memory that one process fills and another only reads.
  @Test(arguments: ShardWriter.Storage.allCases)
  func theIndexMayLieInSharedMemory(_ storage: ShardWriter.Storage) throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, storage)
    let own = try ShardSet(folder.path)
    let owner = ScratchMemory(bytes: 4096)
    var published = 0
    func open(fills: Bool) throws -> ShardSet {
      try ShardSet(paths: [folder.path]) { bytes in
        // Ten labels in three files, and thirteen positions of streams.
        #expect(bytes == 16 + 16 + 16 + (storage == .raw ? 0 : 8 * 13))
        return IndexMemory(at: owner.pointer, of: owner, isFiller: fills) { published += 1 }
      }
    }
    let filler = try open(fills: true)
    let reader = try open(fills: false)
    #expect(published == 2)
    for set in [filler, reader] {
      #expect(set.fingerprint == own.fingerprint)
      var (bytes, expected): ([UInt8], [UInt8]) = ([], [])
      for index in 0..<10 {
        #expect(try set.read(index, into: &bytes) == own.read(index, into: &expected))
        #expect(bytes == expected)
        #expect(set.label(index) == own.label(index))
      }
    }
    owner.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
    #expect(reader.label(1) == 0, "the labels lie elsewhere")
  }

  private final class ScratchMemory {
    let pointer: UnsafeMutableRawPointer
    init(bytes: Int) { pointer = .allocate(byteCount: bytes, alignment: 64) }
    deinit { pointer.deallocate() }
  }

  @Test func theFingerprintTellsAChangeOfLabels() throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .raw)
    let first = try ShardSet(folder.path).fingerprint
    try CountedImages.writeSet(in: folder.path, .raw)
    #expect(try ShardSet(folder.path).fingerprint == first)
    let file = try HDF5File(updating: folder["counted-00001-of-00003.h5"])
    try file.dataset("labels").write([Int64(2)], at: [0], count: [1])
    try file.close()
    #expect(try ShardSet(folder.path).fingerprint != first)
    #expect(first.count == 64)
  }

  @Test func manyThreadsReadTheSame() async throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .encoded, count: 60)
    let set = try ShardSet(folder.path)
    await withTaskGroup(of: Bool.self) { group in
      for start in 0..<8 {
        group.addTask {
          var bytes: [UInt8] = []
          return (0..<500).allSatisfy { step in
            let index = (start * 7 + step) % 60
            _ = try? set.read(index, into: &bytes)
            return bytes == CountedImages.pixels(index, 10 + index)
          }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }

  @Test func aMissingShardIsNamed() throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .raw)
    try FileSystem.remove(folder["counted-00001-of-00003.h5"])
    let error = try #require(throws: ArchiveError.self) { try ShardSet(folder.path) }
    #expect(error.path.hasSuffix("counted-00001-of-00003.h5"))
    #expect(error.description.contains("missing"))
    #expect(try ShardSet(folder["counted-00002-of-00003.h5"]).count == 4)
  }

  @Test func setsAreNotMixed() throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .raw)
    try CountedImages.writeSet(in: folder.path, .raw, files: 2)
    let error = try #require(throws: ArchiveError.self) { try ShardSet(folder.path) }
    #expect(error.description.contains("counted of 2, counted of 3"))
  }

  @Test func classListsMustAgree() throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .raw, files: 2)
    let writer = try ShardWriter(
      ShardFileName("counted", index: 1, total: 2), in: folder.path, storage: .raw,
      classes: ["ant", "dog", "cat"])
    try writer.append([1, 2, 3], .raw(width: 1, height: 1, channels: 3), label: 0)
    try writer.finish()
    let error = try #require(throws: ArchiveError.self) { try ShardSet(folder.path) }
    #expect(error.description.contains("calls class 1 dog"))
  }

  @Test func splitsOfFoldersAndFilesAreChosen() throws {
    let folder = try ScratchFolder()
    for split in ["train", "val"] {
      try FileSystem.makeFolder(folder[split])
      try CountedImages.writeSet(in: folder[split], .raw, count: split == "val" ? 4 : 9)
    }
    #expect(try ShardSet(folder.path, split: "training").count == 9)
    #expect(try ShardSet(folder.path, split: "validation").count == 4)
    #expect(throws: ArchiveError.self) { try ShardSet(folder.path, split: "test") }
    #expect(throws: ArchiveError.self) { try ShardSet(folder.path) }
  }

  @Test func anUnfinishedShardLeavesNothing() throws {
    let folder = try ScratchFolder()
    do {
      let writer = try ShardWriter(
        ShardFileName("x", index: 0, total: 1), in: folder.path, storage: .encoded, classes: ["a"])
      try writer.append([1, 2], .encoded, label: 0)
      #expect(try FileSystem.list(folder.path) == ["x-00000-of-00001.h5.partial"])
    }
    #expect(try FileSystem.list(folder.path) == [])
  }

  @Test func theWriterRefusesWhatDoesNotFit() throws {
    let folder = try ScratchFolder()
    let name = ShardFileName("x", index: 0, total: 1)
    let raw = try ShardWriter(name, in: folder.path, storage: .raw, classes: ["a"])
    #expect(throws: ArchiveError.self) { try raw.append([1], .encoded, label: 0) }
    try raw.append([1, 2], .raw(width: 2, height: 1, channels: 1), label: 0)
    #expect(throws: ArchiveError.self) {
      try raw.append([1, 2], .raw(width: 1, height: 2, channels: 1), label: 0)
    }
    #expect(throws: ArchiveError.self) {
      try raw.append([1, 2], .raw(width: 2, height: 1, channels: 1), label: 1)
    }
  }

  @Test func fileNamesAreParsedBack() {
    let name = ShardFileName("train-a", index: 3, total: 128)
    #expect("\(name)" == "train-a-00003-of-00128.h5")
    #expect(ShardFileName(parsing: "\(name)") == name)
    for other in ["train.h5", "a-3-of-00128.h5", "a-00128-of-00128.h5", "a-00003-of-00128.hdf5"] {
      #expect(ShardFileName(parsing: other) == nil)
    }
  }

  @Test func longClassListsGoToADataset() throws {
    let folder = try ScratchFolder()
    let classes = (0..<22_000).map { "class number \($0)" }
    try CountedImages.writeSet(in: folder.path, .encoded, classes: classes)
    #expect(try ShardSet(folder.path).classes == classes)
  }
}
