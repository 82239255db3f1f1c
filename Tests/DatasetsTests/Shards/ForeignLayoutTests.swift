import Archives
import Datasets
import TestSupport
import Testing

/// Files made by h5py in the layouts of other programs.
@Suite struct ForeignLayoutTests {
  private func check(
    _ set: ShardSet, first: Int, count: Int, channels: Int = 3,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(set.count == count, sourceLocation: location)
    var bytes: [UInt8] = []
    for index in 0..<count {
      let stored = try set.read(index, into: &bytes)
      #expect(
        stored == .raw(width: 5, height: 4, channels: channels), sourceLocation: location)
      #expect(
        bytes == CountedImages.pixels(first + index, 20 * channels), sourceLocation: location)
      #expect(set.label(index) == (first + index) % 3, sourceLocation: location)
    }
  }

  @Test(arguments: [
    ("xy_splits.h5", "test"), ("img_splits.h5", "val"), ("groups.h5", "validation"),
  ])
  func splitsInOneFileAreSelectable(_ name: String, _ second: String) throws {
    let path = CountedImages.fixture(name)
    try check(try ShardSet(path, split: "train"), first: 0, count: 6)
    try check(try ShardSet(path, split: second), first: 6, count: 4)
    let error = try #require(throws: ArchiveError.self) { try ShardSet(path) }
    #expect(error.description.contains("holds the splits"))
    #expect(throws: ArchiveError.self) { try ShardSet(path, split: "extra") }
  }

  @Test func planesBecomePixels() throws {
    let set = try ShardSet(CountedImages.fixture("planes.h5"))
    try check(set, first: 0, count: 6)
    #expect(set.classes == ["ant", "bee", "cat"])
  }

  @Test func greyImagesHaveOneChannel() throws {
    let set = try ShardSet(CountedImages.fixture("grey.h5"))
    try check(set, first: 0, count: 6, channels: 1)
    #expect(set.classes == ["0", "1", "2"])
  }

  @Test(arguments: ["gzip.h5", "chunks.h5"])
  func chunksOfSeveralImagesAreRead(_ name: String) throws {
    try check(try ShardSet(CountedImages.fixture(name)), first: 0, count: 6)
  }

  @Test func fuelStreamsAreReadBySplit() throws {
    let path = CountedImages.fixture("fuel_ilsvrc2012.h5")
    let set = try ShardSet(path, split: "valid")
    #expect(set.count == 2)
    var bytes: [UInt8] = []
    for index in 0..<2 {
      #expect(try set.read(index, into: &bytes) == .encoded)
      #expect(bytes == (0..<(8 + index)).map { UInt8(5 + index + $0) })
      #expect(set.label(index) == (5 + index) % 3)
      #expect(set.name(index) == "n\(5 + index).JPEG")
    }
    #expect(try ShardSet(path, split: "train").count == 5)
    let error = try #require(throws: ArchiveError.self) { try ShardSet(path, split: "test") }
    #expect(error.description.contains("7 labels"))
  }

  @Test func fuelArraysAreReadBySplit() throws {
    let path = CountedImages.fixture("fuel_cifar10.h5")
    try check(try ShardSet(path, split: "train"), first: 0, count: 4)
    try check(try ShardSet(path, split: "test"), first: 4, count: 2)
  }

  @Test(arguments: [
    ("float_images.h5", "images are float32, expected uint8"),
    ("one_hot.h5", "labels have shape [3, 3], expected [N] or [N, 1]"),
    ("counts_differ.h5", "images has 3 images, labels has 2"),
    ("no_labels.h5", "has images (images) but no labels"),
    ("one_based.h5", "subtract 1"),
  ])
  func whatCannotBeReadIsExplained(_ name: String, _ message: String) throws {
    let path = CountedImages.fixture(name)
    let error = try #require(throws: ArchiveError.self) { try ShardSet(path) }
    #expect(error.kind == .badData)
    #expect(error.description.contains(message), "\(error)")
    #expect(error.description.contains(path))
  }
}
