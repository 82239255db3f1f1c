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
    guard map.a == 1, map.e == 1, map.d == 0, alongRows || (map.b == 0 && map.c == 0) else {
      return nil
    }
    pointer = UnsafePointer(picture.pointer)
    (width, height) = (picture.width, picture.height)
    (channels, rowBytes) = (picture.channels, picture.rowBytes)
    self.map = map
  }

  /// Writes pixels `x ..< x + 8` of row `y`, unless one of them needs what lies beyond an edge.
  @inline(__always)
  func writeEight(_ x: Int, _ y: Int, into out: UnsafeMutablePointer<UInt8>) -> Bool {
    guard x + 8 <= width else { return false }
    return alongRows ? filterRow(x, y, into: out) : filterColumn(x, y, into: out)
  }

  @inline(__always)
  private func filterRow(_ x: Int, _ y: Int, into out: UnsafeMutablePointer<UInt8>) -> Bool {
    let steps = Lanes(0, 1, 2, 3, 4, 5, 6, 7)
    let place = Double(x) + 0.5 + steps + map.b * (Double(y) + 0.5) + map.c - 0.5
    let left = place.rounded(.down)
    // Rounding may let a lane fall back by a pixel; then they are made singly.
    guard left == left[0] + steps, left[0] >= 1, left[0] < Double(width - 9) else { return false }
    let first = pointer + (y &* rowBytes &+ (Int(left[0]) &- 1) &* channels)
    write(first, step: channels, place - left, into: out)
    return true
  }

  @inline(__always)
  private func filterColumn(_ x: Int, _ y: Int, into out: UnsafeMutablePointer<UInt8>) -> Bool {
    let place = Double(y) + 0.5 + map.f - 0.5
    let top = place.rounded(.down)
    guard top >= 1, top < Double(height - 2) else { return false }
    let first = pointer + ((Int(top) &- 1) &* rowBytes &+ x &* channels)
    write(first, step: rowBytes, Lanes(repeating: place - top), into: out)
    return true
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
    Self.write(at, step, Lanes(t[0], t[0], t[0], t[1], t[1], t[1], t[2], t[2]), into: out)
    Self.write(
      at + 8, step, Lanes(t[2], t[3], t[3], t[3], t[4], t[4], t[4], t[5]), into: out + 8)
    Self.write(
      at + 16, step, Lanes(t[5], t[5], t[6], t[6], t[6], t[7], t[7], t[7]), into: out + 16)
  }

  @inline(__always)
  private static func write(
    _ at: UnsafeRawPointer, _ step: Int, _ t: Lanes, into out: UnsafeMutableRawPointer
  ) {
    let (v1, v2) = (lanes(at), lanes(at + step))
    let (v3, v4) = (lanes(at + 2 &* step), lanes(at + 3 &* step))
    let p2 = v3 - v1
    let p3 = 2 * (v1 - v2) + v3 - v4
    let p4 = v2 - v1 - v3 + v4
    var value = v2 + t * (p2 + t * (p3 + t * p4))
    value.replace(with: 0, where: value .< 0)
    value.replace(with: 255, where: value .> 255)
    let bits = unsafeBitCast(value.rounded(.towardZero) + 0x1p52, to: SIMD8<Int64>.self)
    out.storeBytes(of: SIMD8<UInt8>(truncatingIfNeeded: bits), as: SIMD8<UInt8>.self)
  }

  /// Bytes as numbers, by way of the fraction bits of 2⁵².
  @inline(__always)
  private static func lanes(_ at: UnsafeRawPointer) -> Lanes {
    let bytes = SIMD8<Int64>(truncatingIfNeeded: at.loadUnaligned(as: SIMD8<UInt8>.self))
    return unsafeBitCast(bytes | 0x4330_0000_0000_0000, to: Lanes.self) - 0x1p52
  }
}
