import Archives
import TestSupport
import Testing

@Suite struct FilesTests {
  @Test func anUncommittedFileLeavesTheOldOneAlone() throws {
    let folder = try ScratchFolder()
    let path = try folder.write("a.bin", [1, 2, 3])
    do {
      let file = try DurableFile(path)
      try file.write([9, 9])
      #expect(try FileSystem.list(folder.path) == ["a.bin", "a.bin.partial"])
    }
    #expect(try FileSystem.list(folder.path) == ["a.bin"])
    #expect(try FileReader(path).bytes(at: 0, count: 3) == [1, 2, 3])
  }

  @Test func aCommittedFileReplacesTheOldOne() throws {
    let folder = try ScratchFolder()
    let path = try folder.write("a.bin", [1, 2, 3])
    try folder.write("a.bin", [4, 5])
    #expect(try FileReader(path).bytes(at: 0, count: 2) == [4, 5])
    #expect(try FileSystem.list(folder.path) == ["a.bin"])
  }

  @Test func refusalsNameThePathAndTheReason() throws {
    let folder = try ScratchFolder()
    let missing = folder["missing"]
    let error = try #require(throws: ArchiveError.self) { try FileReader(missing) }
    #expect(error.kind == .inputOutput)
    #expect(error.description.contains(missing))
    #expect(error.description.contains("No such file or directory"))
    #expect(throws: ArchiveError.self) { try FileReader(folder.path) }
    #expect(throws: ArchiveError.self) { try FileSystem.list(missing) }
    #expect(throws: ArchiveError.self) { try DurableFile(folder["no/such/folder"]) }
  }

  @Test func readingPastTheEndIsBadData() throws {
    let folder = try ScratchFolder()
    let reader = try FileReader(try folder.write("a", [1, 2, 3]))
    let error = try #require(throws: ArchiveError.self) { try reader.bytes(at: 2, count: 2) }
    #expect(error.kind == .badData)
    #expect(throws: ArchiveError.self) { try reader.bytes(at: -1, count: 1) }
    #expect(throws: ArchiveError.self) { try reader.bytes(at: .max, count: 2) }
  }

  @Test func foldersAreMadeWithThoseAboveAndRemovedWithTheirContent() throws {
    let folder = try ScratchFolder()
    try FileSystem.makeFolder(folder["a/b/c"])
    try FileSystem.makeFolder(folder["a/b/c"])
    try folder.write("a/b/c/file", [1])
    #expect(FileSystem.isFolder(folder["a/b/c"]))
    try FileSystem.removeFolder(folder["a"])
    #expect(!FileSystem.exists(folder["a"]))
    #expect(try FileSystem.freeBytes(at: folder.path) > 0)
  }

  @Test func pathsAreTakenApart() {
    #expect(FileSystem.parent(of: "/a/b") == "/a")
    #expect(FileSystem.parent(of: "/a") == "/")
    #expect(FileSystem.parent(of: "a") == ".")
    #expect(FileSystem.name(of: "/a/b/") == "b")
    #expect(FileSystem.join("a/", "b") == "a/b")
  }
}
