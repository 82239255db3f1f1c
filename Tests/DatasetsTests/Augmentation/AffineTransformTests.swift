import Datasets
import Testing

/// Colours are mapped by two or eight pixels at a time, rotations of grey by one.
@Suite struct AffineTransformTests {
  @Test(
    arguments: [(8, 4), (9, 5), (28, 28), (61, 40)],
    [
      AffineTransform(0.9, 0.43, -3, -0.43, 0.9, 7), AffineTransform(0.2, 0, 3, 0, 0.2, 2),
      AffineTransform(3, -1, 2, 1, 3, -20), AffineTransform(-1, 0, 28, 0, -1, 28),
      AffineTransform(1, 0.27, 0, 0, 1, 0), AffineTransform(1, 0, 0, -0.27, 1, 0),
      AffineTransform(1, 0, 2.25, 0, 1, 0), AffineTransform(1, 0, 2, 0, 1, 0),
      AffineTransform(1, 0, 0, 0, 1, -3.7), AffineTransform(0, 1e-300, 4, 0, 0, 2),
      AffineTransform(1e300, 0, 0, 0, 1, 0),
    ])
  func channelsAreMappedAsPicturesOfTheirOwn(_ size: (Int, Int), _ map: AffineTransform) {
    let (width, height) = size
    let (colour, mapped) = (wavyPicture(width: width, height: height), Picture())
    map.apply(colour, fill: SIMD4(1, 2, 3, 0), into: mapped)
    for channel in 0..<3 {
      let (grey, single) = (Picture(width: width, height: height, channels: 1), Picture())
      for i in 0..<grey.count { grey.pointer[i] = colour.pointer[3 * i + channel] }
      map.apply(grey, fill: SIMD4(repeating: UInt8(channel + 1)), into: single)
      let differing = (0..<grey.count).filter {
        mapped.pointer[3 * $0 + channel] != single.pointer[$0]
      }
      #expect(differing.isEmpty, "channel \(channel) at \(differing)")
    }
  }
}
