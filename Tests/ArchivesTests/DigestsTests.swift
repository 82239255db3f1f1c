import Archives
import Testing

@Suite struct DigestsTests {
  /// The check value that the CRC catalogue gives for CRC-32C.
  @Test func crcGivesTheStandardCheckValue() {
    let digits = Array("123456789".utf8)
    #expect(digits.withUnsafeBytes { CRC32C.of($0) } == 0xE306_9283)
    #expect([UInt8]().withUnsafeBytes { CRC32C.of($0) } == 0)
  }

  @Test func crcInPiecesIsTheCRCOfAll() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let whole = bytes.withUnsafeBytes { CRC32C.of($0) }
    for cut in [0, 1, 7, 500, 1000] {
      var crc = CRC32C()
      bytes[..<cut].withUnsafeBytes { crc.update($0) }
      bytes[cut...].withUnsafeBytes { crc.update($0) }
      #expect(crc.value == whole)
    }
  }

  /// FIPS 180-2, appendix B.
  @Test func sha256GivesTheStandardExamples() {
    #expect(
      SHA256Digest.of("abc")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let digest = SHA256Digest()
    digest.update("abcdbcdecdefdefgefghfghighijhijk")
    digest.update("ijkljklmklmnlmnomnopnopq")
    #expect(
      digest.finish()
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }
}
