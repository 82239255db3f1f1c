import Datasets
import Foundation
import Testing

@Suite struct DecodingTests {
  @Test(arguments: ["420", "422", "444", "progressive", "restart", "grey"])
  func jpegHasPillowsPixels(_ name: String) throws {
    let ours = try ImagingFixtures.picture("\(name).jpg")
    let theirs = try ImagingFixtures.picture("decoded-\(name).png")
    #expect(difference(ours, theirs) == (0, 0))
  }

  @Test func everyOrientationIsApplied() throws {
    let sheet = try ImagingFixtures.picture("turned.png")
    for orientation in 1...8 {
      let ours = try ImagingFixtures.picture("turned-\(orientation).jpg")
      let expected = Picture(width: ours.width, height: ours.height, channels: 3)
      #expect((ours.width, ours.height) == (orientation < 5 ? (24, 16) : (16, 24)))
      for y in 0..<ours.height {
        let from = sheet.pointer + (y * sheet.width + (orientation - 1) * 24) * 3
        (expected.pointer + y * ours.width * 3).update(from: from, count: ours.width * 3)
      }
      #expect(difference(ours, expected) == (0, 0), "orientation \(orientation)")
    }
  }

  @Test func pngOfEveryKindIsRead() throws {
    let color = try ImagingFixtures.picture("png-rgb.png")
    let grey = try ImagingFixtures.picture("png-grey.png")
    #expect((color.width, color.height, color.channels, grey.channels) == (19, 13, 3, 1))
    #expect(difference(try ImagingFixtures.picture("png-rgba.png"), color) == (0, 0))
    #expect(difference(try ImagingFixtures.picture("png-grey16.png"), grey) == (0, 0))
    let palette = try ImagingFixtures.picture("png-palette.png")
    let expected = try ImagingFixtures.picture("png-palette-expected.png")
    #expect(difference(palette, expected) == (0, 0))
    let bits = try ImagingFixtures.picture("png-bits.png")
    for (bit, byte) in zip(bits.bytes, grey.bytes) { #expect(bit == (byte > 128 ? 255 : 0)) }
  }

  @Test func whatIsWrittenIsRead() throws {
    let (picture, encoder) = (wavyPicture(width: 37, height: 21), ImageEncoder())
    var bytes: [UInt8] = []
    try encoder.png(picture, into: &bytes)
    #expect(difference(try ImagingFixtures.decode(bytes), picture) == (0, 0))
    try encoder.jpeg(picture, quality: 98, fullColor: true, into: &bytes)
    // Quality 98 rounds coefficients to steps of at most 2: a few grey levels.
    #expect(difference(try ImagingFixtures.decode(bytes), picture).largest <= 12)
    let grey = wavyPicture(width: 1, height: 900, channels: 1)
    try encoder.png(grey, into: &bytes)
    #expect(difference(try ImagingFixtures.decode(bytes), grey) == (0, 0))
    try encoder.jpeg(grey, into: &bytes)
    #expect(try ImagingFixtures.decode(bytes).channels == 1)
  }

  /// libjpeg interpolates colour between blocks, so a part must be decoded with its surroundings.
  @Test(arguments: ["420", "422", "444", "progressive", "restart", "grey"])
  func aPartHasThePixelsOfTheWhole(_ name: String) throws {
    let bytes = try ImagingFixtures.bytes("\(name).jpg")
    let decoder = ImageDecoder()
    let (whole, part) = (Picture(), Picture())
    try bytes.withUnsafeBufferPointer { bytes in
      let header = try ImageHeader.parse(bytes)
      for denominator in [1, 2, 4, 8] {
        let size = PixelSize(
          width: (83 + denominator - 1) / denominator, height: (61 + denominator - 1) / denominator)
        let all = PixelBox(left: 0, top: 0, width: size.width, height: size.height)
        _ = try decoder.decode(bytes, header, part: all, denominator: denominator, into: whole)
        #expect((whole.width, whole.height) == (size.width, size.height))
        for left in stride(from: 0, to: size.width - 1, by: 3) {
          let box = PixelBox(
            left: left, top: left * (size.height - 1) / size.width,
            width: 1 + (size.width - left) / 2, height: 1 + size.height / 3)
          guard box.bottom <= size.height else { continue }
          let column = try decoder.decode(
            bytes, header, part: box, denominator: denominator, into: part)
          let (ours, theirs) = (cut(part, box, left: column, top: 0), cut(whole, box))
          #expect(difference(ours, theirs) == (0, 0), "1/\(denominator) \(box)")
        }
      }
    }
  }

  private func cut(_ picture: Picture, _ box: PixelBox, left: Int? = nil, top: Int? = nil)
    -> Picture
  {
    let result = Picture(width: box.width, height: box.height, channels: picture.channels)
    let (left, top) = (left ?? box.left, top ?? box.top)
    for y in 0..<box.height {
      let from = picture.pointer + (top + y) * picture.rowBytes + left * picture.channels
      (result.pointer + y * result.rowBytes).update(from: from, count: result.rowBytes)
    }
    return result
  }
}
