/// How a camera held the image: the EXIF tag 0x0112 of a JPEG's APP1 segment (EXIF 2.3, 4.6.4).
public enum Orientation: Int, Sendable, CaseIterable {
  case upright = 1
  case mirrored
  case turnedAround
  case upsideDown
  case transposed
  case turnedLeft
  case transversed
  case turnedRight

  /// Width and height change places.
  public var swapsAxes: Bool { rawValue >= 5 }

  /// Reads the tag out of the body of an APP1 segment; nil if it has none, or a damaged one.
  init?(exif body: UnsafeBufferPointer<UInt8>) {
    guard body.count > 14, body.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) else { return nil }
    let tiff = UnsafeBufferPointer(rebasing: body[6...])
    let little = tiff[0] == 0x49
    func number(_ start: Int, bytes: Int) -> Int {
      little ? tiff.littleEndian(start, bytes: bytes) : tiff.bigEndian(start, bytes: bytes)
    }
    let directory = number(4, bytes: 4)
    guard directory >= 8, directory + 2 <= tiff.count else { return nil }
    for entry in 0..<number(directory, bytes: 2) {
      let at = directory + 2 + 12 * entry
      guard at + 12 <= tiff.count else { return nil }
      guard number(at, bytes: 2) == 0x0112 else { continue }
      self.init(rawValue: number(at + 8, bytes: 2))
      return
    }
    return nil
  }

  /// Writes `source`, as stored, into `target` as it is to be shown.
  package func apply(_ source: Picture, into target: Picture) {
    let (width, height) = (source.width, source.height)
    target.reshape(
      width: swapsAxes ? height : width, height: swapsAxes ? width : height,
      channels: source.channels)
    let channels = source.channels
    let (origin, alongX, alongY) = steps(width: width, height: height)
    var out = target.pointer
    for y in 0..<target.height {
      var pixel = source.pointer + (origin + y * alongY) * channels
      for _ in 0..<target.width {
        for channel in 0..<channels { out[channel] = pixel[channel] }
        out += channels
        pixel += alongX * channels
      }
    }
  }

  /// Where the shown image's first pixel is stored, and the steps along its rows and columns, in
  /// pixels of the stored image.
  private func steps(width: Int, height: Int) -> (origin: Int, alongX: Int, alongY: Int) {
    let last = width * height - 1
    return switch self {
    case .upright: (0, 1, width)
    case .mirrored: (width - 1, -1, width)
    case .turnedAround: (last, -1, -width)
    case .upsideDown: (last - width + 1, 1, -width)
    case .transposed: (0, width, 1)
    case .turnedLeft: (last - width + 1, -width, 1)
    case .transversed: (last, -width, -1)
    case .turnedRight: (width - 1, width, -1)
    }
  }
}
