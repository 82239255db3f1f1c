import Archives
import Foundation
import Testing

@Suite struct DurabilityTests {
  /// The check value of CRC-32C, and RFC 3720 B.4's 32 bytes of zeros.
  @Test func crcMatchesPublishedValues() {
    let digits = Array("123456789".utf8)
    #expect(digits.withUnsafeBytes { CRC32C.of($0) } == 0xE306_9283)
    let zeros = [UInt8](repeating: 0, count: 32)
    #expect(zeros.withUnsafeBytes { CRC32C.of($0) } == 0x8A91_36AA)
    #expect([UInt8]().withUnsafeBytes { CRC32C.of($0) } == 0)
  }

  @Test func crcContinues() {
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let whole = bytes.withUnsafeBytes { CRC32C.of($0) }
    for cut in [0, 1, 7, 4096, 9_999, 10_000] {
      let first = bytes.prefix(cut).withUnsafeBytes { CRC32C.of($0) }
      #expect(bytes.dropFirst(cut).withUnsafeBytes { CRC32C.of($0, continuing: first) } == whole)
    }
  }

  /// FIPS 180-4's example, whole and in pieces.
  @Test func digestMatchesPublishedValue() {
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(SHA256Digest.of("abc") == expected)
    let digest = SHA256Digest()
    for piece in ["a", "", "bc"] { digest.update(piece) }
    #expect(digest.finish() == expected)
  }

  @Test func refusalsNameFileAndReason() {
    let error = #expect(throws: ArchiveError.self) { try DurableFile(creating: "/nowhere/file") }
    #expect(error?.kind == .inputOutput && error?.path == "/nowhere/file")
    #expect(error?.problem.contains("No such file") == true)
    // The kernel's own full disk.
    let full = #expect(throws: ArchiveError.self) {
      try DurableFile(creating: "/dev/full").write("x")
    }
    #expect(full?.problem.contains("No space left") == true)
    #expect(full?.remedy.contains("Free space") == true)
  }

  @Test func replaceKeepsOneWholeFile() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/vitdist-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for text in ["first", "second, longer", "3"] {
      try Array(text.utf8).withUnsafeBytes { try DurableFile.replace(folder + "/file", with: $0) }
      #expect(try String(contentsOfFile: folder + "/file", encoding: .utf8) == text)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
    }
    #expect(DurableFile.parent(of: "/a/b") == "/a" && DurableFile.parent(of: "/a") == "/")
    #expect(DurableFile.parent(of: "a") == ".")
  }
}
