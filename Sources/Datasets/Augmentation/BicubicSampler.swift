import CPixels

/// One pixel at any place.
struct BicubicSampler {
  private let pointer: UnsafePointer<UInt8>
  private let width: Int
  private let height: Int
  private let channels: Int
  private let rowBytes: Int

  init(_ picture: Picture) {
    pointer = UnsafePointer(picture.pointer)
    (width, height) = (picture.width, picture.height)
    (channels, rowBytes) = (picture.channels, picture.rowBytes)
  }

  /// The channels in lanes, or nil outside the picture.
  @inline(__always)
  func pixel(x: Double, y: Double) -> SIMD4<UInt8>? {
    guard x >= 0, x < Double(width), y >= 0, y < Double(height) else { return nil }
    let (left, top) = ((x - 0.5).rounded(.down), (y - 0.5).rounded(.down))
    let (dx, dy) = (x - 0.5 - left, y - 0.5 - top)
    let (x0, y0) = (Int(left) &- 1, Int(top) &- 1)
    return cpixels_cut(interpolate(x0, y0, dx, dy))
  }

  /// A polynomial at 0 is its second value: shears and shifts along one axis need one row or one
  /// column of the sixteen pixels, and get the same bits.
  @inline(__always)
  private func interpolate(_ x: Int, _ y: Int, _ dx: Double, _ dy: Double) -> SIMD4<Double> {
    let columns = Offsets(x, of: width, apart: channels)
    let rows = Offsets(y, of: height, apart: rowBytes)
    if dy == 0 { return row(rows.second, columns, dx) }
    if dx == 0 {
      let column = pointer + columns.second
      return Self.cubic(
        cpixels_numbers(column + rows.first), cpixels_numbers(column + rows.second),
        cpixels_numbers(column + rows.third), cpixels_numbers(column + rows.fourth), dy)
    }
    return Self.cubic(
      row(rows.first, columns, dx), row(rows.second, columns, dx), row(rows.third, columns, dx),
      row(rows.fourth, columns, dx), dy)
  }

  @inline(__always)
  private func row(_ start: Int, _ columns: Offsets, _ dx: Double) -> SIMD4<Double> {
    let row = pointer + start
    return Self.cubic(
      cpixels_numbers(row + columns.first), cpixels_numbers(row + columns.second),
      cpixels_numbers(row + columns.third), cpixels_numbers(row + columns.fourth), dx)
  }

  /// Where four neighbours lie along one axis, the outermost repeated outside.
  private struct Offsets {
    let first: Int
    let second: Int
    let third: Int
    let fourth: Int

    @inline(__always)
    init(_ start: Int, of count: Int, apart distance: Int) {
      if start >= 0, start &+ 3 < count {
        first = start &* distance
        second = first &+ distance
        third = second &+ distance
        fourth = third &+ distance
      } else {
        func inside(_ index: Int) -> Int { min(max(index, 0), count &- 1) &* distance }
        (first, second) = (inside(start), inside(start &+ 1))
        (third, fourth) = (inside(start &+ 2), inside(start &+ 3))
      }
    }
  }

  @inline(__always)
  private static func cubic(
    _ v1: SIMD4<Double>, _ v2: SIMD4<Double>, _ v3: SIMD4<Double>, _ v4: SIMD4<Double>, _ t: Double
  ) -> SIMD4<Double> {
    let p2 = v3 - v1
    let p3 = 2 * (v1 - v2) + v3 - v4
    let p4 = v2 - v1 - v3 + v4
    return v2 + t * (p2 + t * (p3 + t * p4))
  }
}
