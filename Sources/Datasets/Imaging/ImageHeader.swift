/// What the first bytes of a stored image tell: enough to choose a crop before decoding.
public struct ImageHeader: Sendable, Equatable {
  public enum Format: Sendable { case jpeg, png }

  public var format: Format
  /// As stored, before the orientation is applied.
  public var storedSize: PixelSize
  public var channels: Int
  public var orientation: Orientation = .upright
  /// Where a JPEG's first scan starts: the end marker must come after it.
  var scanStart = 0

  /// As shown, after the orientation is applied.
  public var size: PixelSize {
    orientation.swapsAxes
      ? PixelSize(width: storedSize.height, height: storedSize.width) : storedSize
  }

  /// Reads the header of a JPEG or PNG stream.
  ///
  /// - Throws: `ImageError` if it is neither, is damaged, has more than `pixelLimit` pixels or a
  ///   colour model without meaning here.
  public static func parse(
    _ bytes: UnsafeBufferPointer<UInt8>, pixelLimit: Int = DecodingOptions().pixelLimit
  ) throws -> ImageHeader {
    let header: ImageHeader
    if bytes.count > 3, bytes[0] == 0xFF, bytes[1] == 0xD8, bytes[2] == 0xFF {
      header = try parseJPEG(bytes)
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      header = try parsePNG(bytes)
    } else {
      throw ImageError(.unknownFormat, "neither a JPEG nor a PNG stream")
    }
    let (width, height) = (header.storedSize.width, header.storedSize.height)
    guard width > 0, height > 0 else {
      throw ImageError(.corrupt, "an image of \(width) x \(height) pixels")
    }
    guard width <= pixelLimit / height else {
      throw ImageError(
        .tooLarge, "\(width) x \(height) pixels, more than the limit of \(pixelLimit)")
    }
    return header
  }

  private static func parsePNG(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    guard bytes.count >= 33, bytes[12...15].elementsEqual("IHDR".utf8) else {
      throw ImageError(.corrupt, "a PNG stream without its header")
    }
    let color = bytes[25]
    return ImageHeader(
      format: .png,
      storedSize: PixelSize(
        width: bytes.bigEndian(16, bytes: 4), height: bytes.bigEndian(20, bytes: 4)),
      channels: color == 0 || color == 4 ? 1 : 3)
  }

  private static func parseJPEG(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    var orientation = Orientation.upright
    var frame: (size: PixelSize, channels: Int)?
    var at = 2
    while at + 4 <= bytes.count {
      guard bytes[at] == 0xFF else { throw ImageError(.corrupt, "a JPEG marker is damaged") }
      let marker = bytes[at + 1]
      if marker == 0xFF {
        at += 1
        continue
      }
      if marker == 0x01 || (0xD0...0xD8).contains(marker) {
        at += 2
        continue
      }
      let length = bytes.bigEndian(at + 2, bytes: 2)
      guard length >= 2, at + 2 + length <= bytes.count else { break }
      let body = UnsafeBufferPointer(rebasing: bytes[(at + 4)..<(at + 2 + length)])
      if marker == 0xE1, let found = Orientation(exif: body) { orientation = found }
      if isFrame(marker), body.count >= 6 { frame = try readFrame(body) }
      at += 2 + length
      if marker == 0xDA, let frame {
        return ImageHeader(
          format: .jpeg, storedSize: frame.size, channels: frame.channels,
          orientation: orientation, scanStart: at)
      }
    }
    throw ImageError(.corrupt, "the JPEG stream is cut short before its first scan")
  }

  /// SOF0 to SOF15 without the three codes that mean something else (DHT, JPG, DAC).
  private static func isFrame(_ marker: UInt8) -> Bool {
    (0xC0...0xCF).contains(marker) && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
  }

  private static func readFrame(
    _ body: UnsafeBufferPointer<UInt8>
  ) throws -> (size: PixelSize, channels: Int) {
    let components = Int(body[5])
    guard components == 1 || components == 3 else {
      throw ImageError(
        .unsupported,
        components == 4
          ? "a CMYK or YCCK JPEG, whose colours depend on a printer; convert it to RGB"
          : "a JPEG of \(components) components")
    }
    return (
      PixelSize(width: body.bigEndian(3, bytes: 2), height: body.bigEndian(1, bytes: 2)), components
    )
  }
}

extension UnsafeBufferPointer<UInt8> {
  func bigEndian(_ start: Int, bytes: Int) -> Int {
    self[start..<(start + bytes)].reduce(0) { $0 << 8 | Int($1) }
  }

  func littleEndian(_ start: Int, bytes: Int) -> Int {
    self[start..<(start + bytes)].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
