import CPixels

/// Eight pixels in a row at once, for maps that move along one axis only, where their neighbours are
/// eight in a row as well: shifts, and shears along the rows. The bits of a pixel are those it has by
/// itself, as every lane does the same arithmetic.
struct BicubicRuns {
  private typealias Lanes = SIMD8<Double>

  private let pointer: UnsafePointer<UInt8>
  private let width: Int
  private let height: Int
  private let channels: Int
  private let rowBytes: Int
  private let map: AffineTransform
  /// Whether neighbours lie within a row; else within a column.
  private let alongRows: Bool

  /// Nil for a map that needs neighbours in both directions, or a column's at every pixel anew.
  init?(_ picture: Picture, _ map: AffineTransform) {
    alongRows = map.f == 0
    guard map.a == 1, map.e == 1, map.d == 0, alongRows || (map.b == 0 && map.c == 0),
      picture.width >= 8
    else { return nil }
    pointer = UnsafePointer(picture.pointer)
    (width, height) = (picture.width, picture.height)
    (channels, rowBytes) = (picture.channels, picture.rowBytes)
    self.map = map
  }

  /// Writes row `y` but for the ends that need what lies beyond an edge.
  /// - Returns: the pixels that are written.
  @inline(__always)
  func write(_ y: Int, into row: UnsafeMutablePointer<UInt8>) -> Range<Int> {
    alongRows ? filterRow(y, into: row) : filterColumns(y, into: row)
  }

  @inline(__always)
  private func filterRow(_ y: Int, into row: UnsafeMutablePointer<UInt8>) -> Range<Int> {
    let inner = map.pixels(
      ofRow: y, from: 0..<width, into: 1.5...Double(width) - 1.5, 0...Double(height))
    let shear = map.b * (Double(y) + 0.5)
    let start = Double(inner.lowerBound) + 0.5 + shear + map.c - 0.5
    // From pixel to pixel the place moves on by one, but for rounding: where that may matter, pixels are
    // made singly.
    let left = start.rounded(.down)
    guard !inner.isEmpty, (1e-6...1 - 1e-6).contains(start - left) else { return 0..<0 }
    let neighbours = pointer + (y &* rowBytes &+ (Int(left) &- 1 &- inner.lowerBound) &* channels)
    let end = inner.lowerBound + inner.count / 8 * 8
    for x in stride(from: inner.lowerBound, to: end, by: 8) {
      let number = Double(x) + Lanes(0, 1, 2, 3, 4, 5, 6, 7)
      let place = number + 0.5 + shear + map.c - 0.5
      write(
        neighbours + x &* channels, step: channels,
        place - (number + (left - Double(inner.lowerBound))), into: row + x &* channels)
    }
    return inner.lowerBound..<end
  }

  @inline(__always)
  private func filterColumns(_ y: Int, into row: UnsafeMutablePointer<UInt8>) -> Range<Int> {
    let place = Double(y) + 0.5 + map.f - 0.5
    let top = place.rounded(.down)
    guard top >= 1, top < Double(height - 2) else { return 0..<0 }
    let neighbours = pointer + (Int(top) &- 1) &* rowBytes
    let end = width / 8 * 8
    for x in stride(from: 0, to: end, by: 8) {
      write(
        neighbours + x &* channels, step: rowBytes, Lanes(repeating: place - top),
        into: row + x &* channels)
    }
    return 0..<end
  }

  /// - Parameters:
  ///   - at: the first pixel's first neighbour; its others follow `step` bytes apart.
  ///   - t: where between the second and the third each pixel lies.
  @inline(__always)
  private func write(
    _ at: UnsafePointer<UInt8>, step: Int, _ t: Lanes, into out: UnsafeMutablePointer<UInt8>
  ) {
    let (at, out) = (UnsafeRawPointer(at), UnsafeMutableRawPointer(out))
    guard channels == 3 else { return Self.write(at, step, t, into: out) }
    Self.write(at, step, cpixels_for_third(t, 0), into: out)
    Self.write(at + 8, step, cpixels_for_third(t, 1), into: out + 8)
    Self.write(at + 16, step, cpixels_for_third(t, 2), into: out + 16)
  }

  @inline(__always)
  private static func write(
    _ at: UnsafeRawPointer, _ step: Int, _ t: Lanes, into out: UnsafeMutableRawPointer
  ) {
    let (v1, v2) = (lanes(at), lanes(at + step))
    let (v3, v4) = (lanes(at + 2 &* step), lanes(at + 3 &* step))
    let value = cpixels_cubic(v1, v2, v3, v4, t)
    out.storeBytes(of: cpixels_cut_eight(value), as: SIMD8<UInt8>.self)
  }

  /// Bytes as numbers, by way of the fraction bits of 2⁵².
  @inline(__always)
  private static func lanes(_ at: UnsafeRawPointer) -> Lanes {
    let bytes = SIMD8<Int64>(truncatingIfNeeded: at.loadUnaligned(as: SIMD8<UInt8>.self))
    return unsafeBitCast(bytes | 0x4330_0000_0000_0000, to: Lanes.self) - 0x1p52
  }
}
