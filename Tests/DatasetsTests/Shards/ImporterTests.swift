import Archives
import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct ImporterTests {
  /// Bytes that begin like a JPEG stream and tell their number.
  static func stream(_ number: Int) -> [UInt8] {
    [0xFF, 0xD8, 0xFF, 0xE0] + (0..<(20 + number)).map { UInt8(truncatingIfNeeded: number + $0) }
  }

  /// Not sorted; with files that are no images.
  static let tree: [(name: String, bytes: [UInt8])] = [
    ("set/train/dog/z.jpg", stream(1)), ("set/train/cat/b.JPEG", stream(2)),
    ("set/train/cat/inner/a.png", [0x89, 0x50, 0x4E, 0x47, 3]), ("set/val/dog/y.jpg", stream(4)),
    ("set/train/bird/no-ending", stream(5)), ("set/classes.tsv", Array("0\tbird".utf8)),
    ("set/train/cat/.hidden.jpg", stream(6)), ("set/train/notes.txt", Array("text".utf8)),
  ]

  private func write(_ files: [(name: String, bytes: [UInt8])], in folder: ScratchFolder) throws {
    for (name, bytes) in files {
      try FileSystem.makeFolder(FileSystem.parent(of: folder[name]))
      try folder.write(name, bytes)
    }
  }

  private func check(_ input: any ShardInput) throws {
    #expect(input.classes == ["bird", "cat", "dog"])
    let items = try (0..<input.count).map { try input.item(at: $0) }
    #expect(items.map(\.label) == [0, 1, 1, 2])
    #expect(
      items.map(\.name) == [
        "set/train/bird/no-ending", "set/train/cat/b.JPEG", "set/train/cat/inner/a.png",
        "set/train/dog/z.jpg",
      ])
    #expect(
      items.map(\.bytes) == [
        Self.stream(5), Self.stream(2), [0x89, 0x50, 0x4E, 0x47, 3], Self.stream(1),
      ])
    #expect(items.allSatisfy { $0.stored == .encoded })
  }

  @Test func classFoldersAreSortedAndSplit() throws {
    let folder = try ScratchFolder()
    try write(Self.tree, in: folder)
    try check(try ClassFolderInput(folder.path, split: "train"))
    #expect(try ClassFolderInput(folder.path, split: "validation").count == 1)
    let error = try #require(throws: ArchiveError.self) { try ClassFolderInput(folder.path) }
    #expect(error.description.contains("holds the splits train, val"))
    #expect(throws: ArchiveError.self) { try ClassFolderInput(folder.path, split: "test") }
  }

  @Test func archivesGiveWhatTheirFolderGives() throws {
    let folder = try ScratchFolder()
    try write(Self.tree, in: folder)
    let tar = TinyArchives.tar(Self.tree.map { ("./" + $0.name, $0.bytes) })
    let plain = try ClassFolderInput(try folder.write("a.tar", tar), split: "train")
    let packed = try ClassFolderInput(
      try folder.write("a.tar.gz", TinyArchives.gzip(tar)), split: "train")
    try check(plain)
    try check(packed)
    let unpacked = try ClassFolderInput(folder["set"], split: "train")
    #expect(plain.identity == packed.identity)
    #expect(unpacked.count == plain.count)
  }

  @Test func aGivenClassListFixesTheNumbers() throws {
    let folder = try ScratchFolder()
    try write(Self.tree, in: folder)
    let classes = ["ant", "bird", "cat", "dog"]
    let input = try ClassFolderInput(folder.path, split: "val", classes: classes)
    #expect(input.classes == classes)
    #expect(try input.item(at: 0).label == 3)
    #expect(throws: ArchiveError.self) {
      try ClassFolderInput(folder.path, split: "val", classes: ["cat"])
    }
  }

  @Test func cutArchivesAreRefused() throws {
    let folder = try ScratchFolder()
    let packed = TinyArchives.gzip(TinyArchives.tar(Self.tree))
    for count in stride(from: 0, to: packed.count - 1100, by: 97) {
      let path = try folder.write("cut.tar.gz", Array(packed[..<count]))
      let error = try #require(throws: ArchiveError.self) {
        try ClassFolderInput(path, split: "train")
      }
      #expect(error.kind == .badData)
    }
  }

  @Test(arguments: [false, true])
  func idxPairsAreRead(_ isPacked: Bool) throws {
    let folder = try ScratchFolder()
    let pixels = (0..<24).map { UInt8($0) }
    let images = TinyArchives.idx([4, 2, 3], pixels)
    let labels = TinyArchives.idx([4], [1, 0, 2, 1])
    let ending = isPacked ? ".gz" : ""
    let pack = isPacked ? TinyArchives.gzip : { $0 }
    try folder.write("train-images-idx3-ubyte" + ending, pack(images))
    try folder.write("train-labels-idx1-ubyte" + ending, pack(labels))
    let input = try IdxInput(folder.path)
    #expect(input.count == 4)
    #expect(input.classes == ["0", "1", "2"])
    let item = try input.item(at: 2)
    #expect(item.bytes == Array(pixels[12..<18]))
    #expect(item.stored == .raw(width: 3, height: 2, channels: 1))
    #expect(item.label == 2)
    #expect(try IdxInput(folder["train-images-idx3-ubyte" + ending]).count == 4)
    #expect(throws: ArchiveError.self) { try IdxInput(folder.path, split: "test") }
    try folder.write("train-images-idx3-ubyte" + ending, pack(Array(images.dropLast())))
    let error = try #require(throws: ArchiveError.self) { try IdxInput(folder.path) }
    #expect(error.description.contains("has 23 bytes for the shape [4, 2, 3]"))
  }

  @Test func cifarBatchesAreRead() throws {
    let folder = try ScratchFolder()
    func record(_ label: UInt8, _ first: UInt8) -> [UInt8] {
      [label] + (0..<3072).map { first &+ UInt8($0 / 1024) }
    }
    try FileSystem.makeFolder(folder["cifar-10-batches-bin"])
    try folder.write("cifar-10-batches-bin/data_batch_2.bin", record(9, 50))
    try folder.write("cifar-10-batches-bin/data_batch_1.bin", record(3, 10) + record(0, 20))
    try folder.write("cifar-10-batches-bin/test_batch.bin", record(1, 90))
    let train = try CIFARInput(folder.path)
    #expect(train.count == 3)
    #expect(try (0..<3).map { try train.item(at: $0).label } == [3, 0, 9])
    #expect(try Array(train.item(at: 2).bytes.prefix(6)) == [50, 51, 52, 50, 51, 52])
    #expect(train.classes[3] == "cat")
    #expect(try CIFARInput(folder.path, split: "test").count == 1)
    #expect(try CIFARInput(folder["cifar-10-batches-bin/test_batch.bin"]).count == 1)
    try folder.write("cifar-10-batches-bin/data_batch_2.bin", [1, 2, 3])
    #expect(throws: ArchiveError.self) { try CIFARInput(folder.path) }
  }
}

/// The real files, where they are: the variable `VITDIST_DATA`, else `../shared/data`.
@Suite struct RealDataTests {
  private static func path(_ name: String) -> String? {
    let package = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    let root = ProcessInfo.processInfo.environment["VITDIST_DATA"] ?? "/\(package)/../shared/data"
    let path = FileSystem.join(root, name)
    return FileSystem.exists(path) ? path : nil
  }

  @Test(.enabled("real data are absent: set VITDIST_DATA") { path("fashion-mnist") != nil })
  func fashionMNISTIsRead() throws {
    let path = try #require(Self.path("fashion-mnist"))
    let input = try IdxInput(path, split: "test")
    #expect(input.count == 10_000)
    #expect(input.classes.count == 10)
    let labels = try (0..<10_000).map { try input.item(at: $0).label }
    #expect((0..<10).allSatisfy { label in labels.count { $0 == label } == 1000 })
    // The first test image is an ankle boot.
    #expect(labels[0] == 9)
  }

  @Test(.enabled("real data are absent: set VITDIST_DATA") { path("cifar10") != nil })
  func cifarImagesBecomeShards() throws {
    let path = try #require(Self.path("cifar10/cifar10-test-a.tar.gz"))
    let input = try ClassFolderInput(path)
    #expect(input.count == 5000)
    #expect(input.classes.first == "airplane" && input.classes.last == "truck")
    let folder = try ScratchFolder()
    var options = ShardOptions()
    options.shards = 3
    let summary = try ShardBuilder(options).build(input, output: folder.path)
    #expect(summary.images == 5000)
    let set = try ShardSet(folder.path)
    let inspection = ShardInspection(set)
    #expect(inspection.labels == [Int](repeating: 500, count: 10))
    let report = ShardVerification.run(set) { bytes, stored in
      #expect(stored == .encoded && bytes.starts(with: [0xFF, 0xD8, 0xFF]))
    }
    #expect(report.isClean && report.images == 5000)
  }
}
