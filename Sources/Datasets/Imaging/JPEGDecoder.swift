import CTurboJPEG

/// Decodes JPEG streams, or the part of one that is needed. One per thread; the handle is kept.
final class JPEGDecoder {
  private let handle: UnsafeMutablePointer<cjpeg_decoder>

  init() {
    guard let handle = cjpeg_make() else { preconditionFailure("libjpeg did not start") }
    self.handle = handle
  }

  deinit { cjpeg_free(handle) }

  /// Decodes columns and rows `region` of the image at 1/`denominator` of its size.
  ///
  /// The pixels are those of a full decode at that size: libjpeg interpolates colour across block
  /// borders, so two more columns are decoded on either side.
  /// - Parameter channels: 1 (of a grey image) or 3.
  /// - Returns: where the region's first pixel lies in `picture`.
  func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ header: ImageHeader, region: PixelBox,
    denominator: Int, into picture: Picture
  ) throws -> Int {
    try checkEnd(bytes, after: header.scanStart)
    let scaledWidth = (header.storedSize.width + denominator - 1) / denominator
    let left = max(0, region.left - 2)
    var x = UInt32(left)
    var width = UInt32(min(scaledWidth, region.right + 2) - left)
    var (fullWidth, fullHeight): (UInt32, UInt32) = (0, 0)
    let opened = cjpeg_start(
      handle, bytes.baseAddress, bytes.count, Int32(header.channels), Int32(denominator), &x,
      &width, &fullWidth, &fullHeight)
    guard opened == 0 else { throw damaged() }
    guard Int(fullWidth) == header.storedSize.width, Int(fullHeight) == header.storedSize.height
    else { throw ImageError(.corrupt, "the JPEG stream has two frames of different sizes") }
    picture.reshape(width: Int(width), height: region.height, channels: header.channels)
    let read = cjpeg_read_rows(
      handle, UInt32(region.top), UInt32(region.height), picture.pointer, picture.rowBytes)
    guard read == 0 else { throw damaged() }
    return region.left - Int(x)
  }

  /// A crop may not need the last rows, but a stream that is cut short is refused all the same: an
  /// epoch must not use a sample that another refuses. Within scans 0xFF is never followed by 0xD9.
  private func checkEnd(_ bytes: UnsafeBufferPointer<UInt8>, after start: Int) throws {
    var at = bytes.count - 2
    while at >= start {
      if bytes[at] == 0xFF, bytes[at + 1] == 0xD9 { return }
      at -= 1
    }
    throw ImageError(.corrupt, "the JPEG stream is cut short: its end marker is missing")
  }

  private func damaged() -> ImageError {
    ImageError(.corrupt, "the JPEG decoder says: \(String(cString: cjpeg_message(handle)))")
  }
}
