import Datasets
import Foundation
import Testing

/// Files of `Tests/Fixtures/Imaging`, made by `make_imaging.py` with Pillow and timm.
enum ImagingFixtures {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/Imaging")

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  static func picture(_ name: String) throws -> Picture { try decode(bytes(name)) }

  static func decode(_ bytes: [UInt8]) throws -> Picture {
    let picture = Picture()
    try bytes.withUnsafeBufferPointer { try ImageDecoder().decode($0, into: picture) }
    return picture
  }
}

/// Waves and noise without a file: any extents, one or three channels.
func wavyPicture(width: Int, height: Int, channels: Int = 3, seed: UInt64 = 1) -> Picture {
  let picture = Picture(width: width, height: height, channels: channels)
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  for y in 0..<height {
    for x in 0..<width {
      for channel in 0..<channels {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let wave = 120 + 80 * sin(Double(x) / 5 + Double(channel)) * cos(Double(y) / 7)
        picture.pointer[(y * width + x) * channels + channel] = UInt8(wave + Double(state >> 60))
      }
    }
  }
  return picture
}

/// Number of bytes that differ, and the largest difference; pictures of other extents differ
/// everywhere.
func difference(_ a: Picture, _ b: Picture) -> (bytes: Int, largest: Int) {
  guard a.width == b.width, a.height == b.height, a.channels == b.channels else {
    return (max(a.count, b.count), 255)
  }
  let steps = zip(a.bytes, b.bytes).map { abs(Int($0) - Int($1)) }
  return (steps.count { $0 > 0 }, steps.max() ?? 0)
}
