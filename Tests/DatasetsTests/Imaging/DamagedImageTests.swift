import Datasets
import Testing

@Suite struct DamagedImageTests {
  @Test(arguments: ["420", "444", "progressive", "restart", "grey"])
  func aJPEGCutShortAnywhereIsRefused(_ name: String) throws {
    let bytes = try ImagingFixtures.bytes("\(name).jpg")
    for length in stride(from: 0, to: bytes.count - 1, by: 37) {
      #expect(throws: ImageError.self, "\(length) of \(bytes.count) bytes") {
        try ImagingFixtures.decode(Array(bytes[..<length]))
      }
    }
  }

  @Test func aPNGCutShortAnywhereIsRefused() throws {
    let bytes = try ImagingFixtures.bytes("png-rgb.png")
    for length in stride(from: 0, to: bytes.count - 12, by: 11) {
      #expect(throws: ImageError.self) { try ImagingFixtures.decode(Array(bytes[..<length])) }
    }
  }

  /// Nothing may crash or hang, whatever the bytes are.
  @Test(arguments: ["420.jpg", "progressive.jpg", "turned-6.jpg", "png-palette.png"])
  func flippedBitsNeverCrash(_ name: String) throws {
    let bytes = try ImagingFixtures.bytes(name)
    var refused = 0
    for place in stride(from: 2, to: bytes.count, by: 5) {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8(place % 8)
      do { _ = try ImagingFixtures.decode(damaged) } catch is ImageError { refused += 1 }
    }
    #expect(refused > 0)
  }

  @Test func whatIsWrongIsNamed() throws {
    func message(_ bytes: [UInt8]) -> String {
      do {
        _ = try ImagingFixtures.decode(bytes)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message([1, 2, 3, 4]).contains("neither a JPEG nor a PNG"))
    #expect(message([]).contains("neither a JPEG nor a PNG"))
    #expect(message(try ImagingFixtures.bytes("cmyk.jpg")).contains("CMYK"))
    let stream = try ImagingFixtures.bytes("420.jpg")
    #expect(message(Array(stream.dropLast(2))).contains("end marker"))
  }

  @Test func hugeImagesAreRefusedBeforeDecoding() throws {
    let bytes = try ImagingFixtures.bytes("420.jpg")
    let picture = Picture()
    let error = #expect(throws: ImageError.self) {
      try bytes.withUnsafeBufferPointer {
        try ImageDecoder().decode($0, pixelLimit: 83 * 61 - 1, into: picture)
      }
    }
    #expect(error?.kind == .tooLarge)
    try bytes.withUnsafeBufferPointer {
      try ImageDecoder().decode($0, pixelLimit: 83 * 61, into: picture)
    }
  }
}
