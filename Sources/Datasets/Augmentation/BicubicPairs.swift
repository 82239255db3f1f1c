import CPixels

/// Two pixels in a row at once, for any map of a colour picture. The bits of a pixel are those it has by
/// itself, as every lane does the same arithmetic.
struct BicubicPairs {
  private typealias Lanes = SIMD8<Double>
  private typealias Place = SIMD2<Double>

  private let pointer: UnsafePointer<UInt8>
  private let (width, height): (Int, Int)
  private let rowBytes: Int
  private let map: AffineTransform

  /// Nil for a picture of one channel, or too small.
  init?(_ picture: Picture, _ map: AffineTransform) {
    guard picture.channels == 3, picture.width >= 8, picture.height >= 4 else { return nil }
    pointer = UnsafePointer(picture.pointer)
    (width, height) = (picture.width, picture.height)
    rowBytes = picture.rowBytes
    self.map = map
  }

  /// Writes row `y` but for the ends that need what lies beyond an edge.
  /// - Returns: the pixels that are written; two bytes after them are spoilt.
  @inline(__always)
  func write(_ y: Int, into row: UnsafeMutablePointer<UInt8>) -> Range<Int> {
    // Sixteen bytes are read where twelve are of use, and eight written where six are.
    let inner = map.pixels(
      ofRow: y, from: 0..<width - 1, into: 1.5...Double(width) - 4.5, 1.5...Double(height) - 1.5)
    let end = inner.lowerBound + inner.count / 2 * 2
    for x in stride(from: inner.lowerBound, to: end, by: 2) {
      UnsafeMutableRawPointer(row + 3 &* x)
        .storeBytes(of: cpixels_joined(cpixels_cut_eight(two(x, y))), as: SIMD8<UInt8>.self)
    }
    return inner.lowerBound..<end
  }

  @inline(__always)
  private func two(_ x: Int, _ y: Int) -> Lanes {
    let (u, v) = (Double(x) + 0.5 + Place(0, 1), Double(y) + 0.5)
    let (placeX, placeY) = (map.a * u + map.b * v + map.c, map.d * u + map.e * v + map.f)
    let (left, top) = ((placeX - 0.5).rounded(.down), (placeY - 0.5).rounded(.down))
    let (dx, dy) = (cpixels_for_two(placeX - 0.5 - left), cpixels_for_two(placeY - 0.5 - top))
    // Exact: less than 2⁵³.
    let starts = cpixels_integers((top - 1) * Double(rowBytes) + (left - 1) * 3)
    let (a, b) = (pointer + Int(starts[0]), pointer + Int(starts[1]))
    return cpixels_cubic(
      row(a, b, dx), row(a + rowBytes, b + rowBytes, dx),
      row(a + 2 &* rowBytes, b + 2 &* rowBytes, dx),
      row(a + 3 &* rowBytes, b + 3 &* rowBytes, dx), dy)
  }

  @inline(__always)
  private func row(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ dx: Lanes) -> Lanes {
    cpixels_cubic(
      cpixels_two_numbers(a, b, 0), cpixels_two_numbers(a, b, 1), cpixels_two_numbers(a, b, 2),
      cpixels_two_numbers(a, b, 3), dx)
  }
}
