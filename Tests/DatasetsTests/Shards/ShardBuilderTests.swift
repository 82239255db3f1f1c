import Archives
import Configuration
import Datasets
import TestSupport
import Testing

@Suite struct ShardBuilderTests {
  /// Twenty images of four bytes; some may be broken.
  private struct Counted: ShardInput {
    var broken: Set<Int> = []
    var seed = 0
    let classes = ["ant", "bee", "cat"]
    let count = 20
    let storage = ShardWriter.Storage.encoded
    var identity: String { "counted \(seed)" }

    func item(at index: Int) throws -> ShardItem {
      ShardItem(
        bytes: CountedImages.pixels(index, broken.contains(index) ? 0 : 4), stored: .encoded,
        label: index % 3, name: "image\(index)")
    }
  }

  /// Refuses empty images.
  private struct Check: ImageTransform {
    struct Empty: Error {}
    let identity = "check"
    func storage(of source: ShardWriter.Storage) -> ShardWriter.Storage { source }
    func prepare(
      _ bytes: [UInt8], _ stored: StoredImage
    ) throws -> (bytes: [UInt8], stored: StoredImage) {
      guard !bytes.isEmpty else { throw Empty() }
      return (bytes, stored)
    }
  }

  private static func options(_ broken: ShardOptions.BrokenImagePolicy = .refuse) -> ShardOptions {
    var options = ShardOptions()
    options.shards = 3
    options.broken = broken
    return options
  }

  private func contents(of folder: String) throws -> [[UInt8]] {
    try FileSystem.list(folder).map { name in
      let reader = try FileReader(FileSystem.join(folder, name))
      return try reader.bytes(at: 0, count: reader.size)
    }
  }

  @Test func everyImageIsInTheSetOnce() throws {
    let folder = try ScratchFolder()
    let summary = try ShardBuilder(Self.options()).build(Counted(), output: folder.path)
    #expect(summary.shards == 3 && summary.written == 3 && summary.images == 20)
    let set = try ShardSet(folder.path)
    let names = (0..<20).map(set.name)
    #expect(Set(names) == Set((0..<20).map { "image\($0)" }))
    #expect(names != (0..<20).map { "image\($0)" })
    var bytes: [UInt8] = []
    for index in 0..<20 {
      let image = try #require(Int(names[index].dropFirst(5)))
      _ = try set.read(index, into: &bytes)
      #expect(bytes == CountedImages.pixels(image, 4))
      #expect(set.label(index) == image % 3)
    }
  }

  /// P1: the files do not depend on how many ranks wrote them.
  @Test(arguments: [1, 2, 3, 5])
  func filesAreTheSameOnAnyNumberOfRanks(_ size: Int) throws {
    let alone = try ScratchFolder()
    let shared = try ScratchFolder()
    let input = Counted(broken: [4, 11])
    let builder = ShardBuilder(Self.options(.skip), transform: Check())
    _ = try builder.build(input, output: alone.path)
    var skipped: [String] = []
    for rank in (0..<size).reversed() {
      let summary = try builder.build(input, output: shared.path, rank: rank, size: size)
      skipped += summary.skipped.map(\.name)
    }
    #expect(skipped.sorted() == ["image11", "image4"])
    #expect(try contents(of: alone.path) == contents(of: shared.path))
    #expect(try ShardSet(shared.path).count == 18)
  }

  @Test func aBrokenImageIsNamed() throws {
    let folder = try ScratchFolder()
    let builder = ShardBuilder(Self.options(), transform: Check())
    let error = try #require(throws: ArchiveError.self) {
      try builder.build(Counted(broken: [7]), output: folder.path)
    }
    #expect(error.path == "image7")
    #expect(try !FileSystem.list(folder.path).contains { $0.hasSuffix(".partial") })
  }

  @Test func aStoppedBuildGoesOn() throws {
    let folder = try ScratchFolder()
    let builder = ShardBuilder(Self.options())
    _ = try builder.build(Counted(), output: folder.path)
    let before = try contents(of: folder.path)
    let kept = try builder.build(Counted(), output: folder.path)
    #expect(kept.kept == 3 && kept.written == 0 && kept.images == 20)
    try FileSystem.remove(folder["images-00000-of-00003.h5"])
    try folder.write("images-00001-of-00003.h5", Array(before[1].dropLast(100)))
    var damaged = before[2]
    let range = try #require(
      try HDF5File(reading: folder["images-00002-of-00003.h5"]).dataset("encoded").byteRange)
    damaged[range.lowerBound] ^= 1
    try folder.write("images-00002-of-00003.h5", damaged)
    let again = try builder.build(Counted(), output: folder.path)
    #expect(again.written == 3 && again.kept == 0)
    #expect(try contents(of: folder.path) == before)
  }

  @Test func anotherSourceIsNotMixedIn() throws {
    let folder = try ScratchFolder()
    var options = Self.options()
    _ = try ShardBuilder(options).build(Counted(), output: folder.path)
    let error = try #require(throws: ArchiveError.self) {
      try ShardBuilder(options).build(Counted(seed: 1), output: folder.path)
    }
    #expect(error.description.contains("another source"))
    options.shards = 2
    #expect(throws: ArchiveError.self) {
      try ShardBuilder(options).build(Counted(), output: folder.path)
    }
    let forced = ShardBuilder(options, isForced: true)
    #expect(try forced.build(Counted(), output: folder.path).written == 2)
    #expect(try FileSystem.list(folder.path).count == 2)
    #expect(try ShardSet(folder.path).count == 20)
  }

  @Test func impossibleOptionsAreRefused() throws {
    let folder = try ScratchFolder()
    var options = Self.options()
    options.shards = 21
    #expect(throws: ConfigurationError.self) {
      try ShardBuilder(options).build(Counted(), output: folder.path)
    }
    options = Self.options()
    options.name = "a/b"
    #expect(throws: ConfigurationError.self) { try options.validate() }
  }

  @Test func shardsAreMadeFromOtherLayouts() throws {
    let folder = try ScratchFolder()
    let input = try ShardInputKind.hdf5.open(
      CountedImages.fixture("fuel_cifar10.h5"), split: "train")
    var options = ShardOptions()
    options.shuffle = false
    _ = try ShardBuilder(options).build(input, output: folder.path)
    let set = try ShardSet(folder.path)
    var bytes: [UInt8] = []
    for index in 0..<4 {
      #expect(try set.read(index, into: &bytes) == .raw(width: 5, height: 4, channels: 3))
      #expect(bytes == CountedImages.pixels(index, 60))
    }
    #expect(ShardInspection(set).files[0].layout == "raw 4x5x3")
  }

  @Test func verificationFindsAChangedImage() throws {
    let folder = try ScratchFolder()
    try CountedImages.writeSet(in: folder.path, .raw, files: 1)
    let path = folder["counted-00000-of-00001.h5"]
    #expect(ShardVerification.run(try ShardSet(path), decode: { _, _ in }).isClean)
    let range = try #require(try HDF5File(reading: path).dataset("images").byteRange)
    let reader = try FileReader(path)
    var bytes = try reader.bytes(at: 0, count: reader.size)
    bytes[range.lowerBound + 61] ^= 1
    try folder.write("counted-00000-of-00001.h5", bytes)
    struct Odd: Error {}
    let report = ShardVerification.run(try ShardSet(path)) { bytes, _ in
      if bytes[1] != CountedImages.pixels(Int(bytes[0]) / 31, 60)[1] { throw Odd() }
    }
    #expect(report.images == 10)
    #expect(report.faults.first?.what == "\(path), image 1 (file1)")
    #expect(report.faults.last?.problem.contains("checksum") == true)
  }
}
