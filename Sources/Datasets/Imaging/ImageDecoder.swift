/// Decodes JPEG and PNG streams, applies the EXIF orientation and can stop at the part of the image
/// that a crop needs. One per thread; decoder handles and memory are kept.
public final class ImageDecoder {
  private let jpeg = JPEGDecoder()
  private let stored = Picture()
  private var scratch: [UInt8] = []

  public init() {}

  /// Decodes a whole image at full size into `picture`, upright, with its own channels (1 or 3).
  ///
  /// - Throws: `ImageError` for a stream that is damaged, cut short, too large or of an
  ///   unsupported kind.
  public func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, pixelLimit: Int = DecodingOptions().pixelLimit,
    into picture: Picture
  ) throws {
    let header = try ImageHeader.parse(bytes, pixelLimit: pixelLimit)
    let part = try decode(bytes, header, part: header.size.box, denominator: 1, into: picture)
    precondition(part == 0, "a whole image starts at its first column")
  }

  /// Decodes the columns and rows `part` of the upright image at 1/`denominator` of its size.
  ///
  /// - Returns: the column of `picture` where the part starts; its row is 0. Images that are not
  ///   decoded in part (PNG, turned ones) are decoded whole and then cut.
  package func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ header: ImageHeader, part: PixelBox, denominator: Int,
    into picture: Picture
  ) throws -> Int {
    if header.format == .jpeg, header.orientation == .upright {
      return try jpeg.decode(
        bytes, header, region: part, denominator: denominator, into: picture)
    }
    if header.format == .png {
      precondition(denominator == 1, "PNG streams have one size")
      try PNGDecoder.decode(bytes, header, scratch: &scratch, into: stored)
    } else {
      let size = header.storedSize.divided(by: denominator)
      let column = try jpeg.decode(
        bytes, header, region: size.box, denominator: denominator, into: stored)
      precondition(column == 0, "a whole image starts at its first column")
    }
    guard header.orientation != .upright else {
      copyRows(stored.view(part), into: picture)
      return 0
    }
    header.orientation.apply(stored, into: turned)
    copyRows(turned.view(part), into: picture)
    return 0
  }

  private let turned = Picture()
}

extension PixelSize {
  /// Extents of an image decoded at 1/`denominator` of its size.
  func divided(by denominator: Int) -> PixelSize {
    PixelSize(
      width: (width + denominator - 1) / denominator,
      height: (height + denominator - 1) / denominator)
  }
}
