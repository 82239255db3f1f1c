import Archives
import TestSupport
import Testing

@Suite struct HDF5Tests {
  private func roundTrip<T: HDF5Number & Equatable>(_ values: [T]) throws {
    let folder = try ScratchFolder()
    let file = try HDF5File(creating: folder["a.h5"])
    try file.write("v", values, shape: [values.count])
    try file.close()
    let read: [T] = try HDF5File(reading: folder["a.h5"]).dataset("v").read()
    #expect(read == values)
  }

  @Test func everyNumberTypeComesBack() throws {
    try roundTrip([UInt8.min, 1, .max])
    try roundTrip([Int8.min, 1, .max])
    try roundTrip([UInt16.min, 1, .max])
    try roundTrip([Int16.min, 1, .max])
    try roundTrip([UInt32.min, 1, .max])
    try roundTrip([Int32.min, 1, .max])
    try roundTrip([UInt64.min, 1, .max])
    try roundTrip([Int64.min, 1, .max])
    try roundTrip([-Float.infinity, 0.1, .greatestFiniteMagnitude])
    try roundTrip([-Double.infinity, 0.1, .greatestFiniteMagnitude])
    try roundTrip([Float]())
  }

  @Test func boxesAreReadAndConverted() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File(creating: folder["a.h5"])
    try file.write("v", (0..<24).map { Int16($0) }, shape: [2, 3, 4])
    let dataset = try file.dataset("v")
    #expect(dataset.type == .integer(bytes: 2, signed: true))
    #expect(dataset.shape == [2, 3, 4])
    let box: [Double] = try dataset.read(from: [1, 0, 2], count: [1, 3, 2])
    #expect(box == [14, 15, 18, 19, 22, 23])
  }

  @Test func extendibleDatasetsGrowAndTellTheirChunks() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File(creating: folder["a.h5"])
    do {
      let rows = try file.create(
        "v", of: UInt8.self, shape: [0, 4], chunk: [1, 4], isExtendible: true)
      for row in 0..<5 {
        let bytes = (0..<4).map { UInt8(row * 4 + $0) }
        try bytes.withUnsafeBytes { try rows.append(UInt8.self, $0, rows: 1) }
      }
    }
    try file.close()
    let dataset = try HDF5File(reading: folder["a.h5"]).dataset("v")
    #expect(dataset.shape == [5, 4])
    #expect(dataset.chunk == [1, 4])
    let chunks = try #require(try dataset.chunkLocations())
    let reader = try FileReader(folder["a.h5"])
    #expect(chunks.count == 5)
    for chunk in chunks {
      let expected: [UInt8] = try dataset.read(from: chunk.origin, count: [1, 4])
      #expect(try reader.bytes(at: chunk.offset, count: chunk.count) == expected)
    }
  }

  @Test func contiguousBytesLieWhereTheFileSays() throws {
    let folder = try ScratchFolder()
    let values = (0..<100).map { UInt8($0) }
    let file = try HDF5File(creating: folder["a.h5"])
    try file.write("v", values, shape: [100])
    try file.close()
    let dataset = try HDF5File(reading: folder["a.h5"]).dataset("v")
    let range = try #require(dataset.byteRange)
    #expect(range.count == 100)
    #expect(try FileReader(folder["a.h5"]).bytes(at: range.lowerBound, count: 100) == values)
  }

  @Test func earlyChunksOfOneRowLieEndToEnd() throws {
    let folder = try ScratchFolder()
    let values = (0..<6000).map { UInt8(truncatingIfNeeded: $0 / 3) }
    let file = try HDF5File(creating: folder["a.h5"], format: .since1_10)
    let written = try file.create("v", of: UInt8.self, shape: [2000, 3], chunk: [1, 3])
    try written.write(values, at: [0, 0], count: [2000, 3])
    try file.close()
    let dataset = try HDF5File(reading: folder["a.h5"]).dataset("v")
    let range = try #require(dataset.byteRange)
    #expect(try FileReader(folder["a.h5"]).bytes(at: range.lowerBound, count: 6000) == values)
  }

  @Test func compressedChunksAreRecognisedAndRead() throws {
    let folder = try ScratchFolder()
    let values = (0..<4096).map { Int32($0 / 7) }
    let file = try HDF5File(creating: folder["a.h5"])
    do {
      let dataset = try file.create(
        "v", of: Int32.self, shape: [64, 64], chunk: [8, 64], deflate: 4)
      try dataset.write(values, at: [0, 0], count: [64, 64])
    }
    try file.close()
    let dataset = try HDF5File(reading: folder["a.h5"]).dataset("v")
    #expect(dataset.filters == ["deflate"])
    #expect(dataset.byteRange == nil)
    #expect(try dataset.chunkLocations() == nil)
    #expect(try dataset.read() as [Int32] == values)
  }

  @Test func stringsAndAttributesComeBack() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File(creating: folder["a.h5"])
    try file.writeStrings("names", ["a", "größer", ""])
    try file.attributes.write("format", "test")
    try file.attributes.write("classes", ["cat", "dög", ""])
    try file.attributes.write("version", 1)
    try file.attributes.write("version", 2)
    try file.close()
    let read = try HDF5File(reading: folder["a.h5"])
    #expect(try read.names() == ["names"])
    #expect(try read.dataset("names").readStrings() == ["a", "größer", ""])
    #expect(try read.dataset("names").readStrings(1..<2) == ["größer"])
    #expect(try read.attributes.string("format") == "test")
    #expect(try read.attributes.strings("classes") == ["cat", "dög", ""])
    #expect(try read.attributes.integer("version") == 2)
    #expect(try read.attributes.string("absent") == nil)
    #expect(throws: ArchiveError.self) { try read.attributes.integer("format") }
    #expect(throws: ArchiveError.self) { try read.attributes.string("version") }
  }

  @Test func variableLengthRowsComeBack() throws {
    let folder = try ScratchFolder()
    let rows: [[UInt8]] = [[1, 2, 3], [], (0..<200).map { UInt8($0) }]
    let file = try HDF5File(creating: folder["a.h5"])
    try file.writeVariableLength("v", rows)
    try file.close()
    let dataset = try HDF5File(reading: folder["a.h5"]).dataset("v")
    var bytes: [UInt8] = []
    let heap = try #require(try HDF5HeapRows(dataset, try FileReader(folder["a.h5"])))
    for (index, row) in rows.enumerated() {
      try dataset.readVariableLength(index, into: &bytes)
      #expect(bytes == row)
      try heap.read(index, into: &bytes)
      #expect(bytes == row)
    }
  }

  @Test func failuresNameFileAndDataset() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File(creating: folder["a.h5"])
    try file.writeStrings("names", ["a"])
    let missing = try #require(throws: ArchiveError.self) { try file.dataset("images") }
    #expect(missing.kind == .badData)
    #expect(missing.path == folder["a.h5"] + ": images")
    #expect(throws: ArchiveError.self) { try file.dataset("names").read(as: Int64.self) }
    let text = try folder.write("b.h5", Array("not hdf5 at all".utf8))
    #expect(throws: ArchiveError.self) { try HDF5File(reading: text) }
    #expect(throws: ArchiveError.self) { try HDF5File(reading: folder["none.h5"]) }
    #expect(throws: ArchiveError.self) { try HDF5File(creating: folder["no/folder.h5"]) }
  }

  @Test func aFileCutShortIsRefused() throws {
    let folder = try ScratchFolder()
    let file = try HDF5File(creating: folder["a.h5"])
    try file.write("v", [Int64](repeating: 7, count: 1000), shape: [1000])
    try file.close()
    let whole = try FileReader(folder["a.h5"])
    let bytes = try whole.bytes(at: 0, count: whole.size)
    for count in [0, 1, 8, 96, 800, whole.size - 1] {
      let path = try folder.write("cut.h5", Array(bytes[..<count]))
      let error = try #require(throws: ArchiveError.self) { try HDF5File(reading: path) }
      #expect(error.kind == .badData)
    }
  }
}
