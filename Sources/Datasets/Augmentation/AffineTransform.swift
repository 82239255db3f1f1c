import CPixels

/// A map from places in the result to places in the source:
/// `(x, y) -> (a x + b y + c, d x + e y + f)`, pixel centres at halves.
package struct AffineTransform: Equatable {
  package var a = 1.0
  package var b = 0.0
  package var c = 0.0
  package var d = 0.0
  package var e = 1.0
  package var f = 0.0

  package init(
    _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double
  ) {
    (self.a, self.b, self.c) = (a, b, c)
    (self.d, self.e, self.f) = (d, e, f)
  }

  /// `source` seen through the map, at its size; places outside it take the colour `fill`.
  ///
  /// Cubic interpolation with a = -1 over 4 x 4 pixels, edges repeated, results cut to bytes: the
  /// bits of Pillow's `Image.transform(..., AFFINE, resample=BICUBIC)`.
  package func apply(_ source: Picture, fill: SIMD4<UInt8>, into target: Picture) {
    target.reshape(width: source.width, height: source.height, channels: source.channels)
    let sampler = BicubicSampler(source)
    let runs = BicubicRuns(source, self)
    for y in 0..<target.height {
      var out = target.pointer + y * target.rowBytes
      var x = 0
      while x < target.width {
        if let runs, runs.writeEight(x, y, into: out) {
          x += 8
          out += 8 * source.channels
          continue
        }
        let (u, v) = (Double(x) + 0.5, Double(y) + 0.5)
        let value = sampler.pixel(x: a * u + b * v + c, y: d * u + e * v + f) ?? fill
        if source.channels == 3 { (out[1], out[2]) = (value[1], value[2]) }
        out[0] = value[0]
        out += source.channels
        x += 1
      }
    }
  }
}

private struct BicubicSampler {
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
    if dy == 0 { return row(y &+ 1, x, dx) }
    if dx == 0 {
      return Self.cubic(
        lanes(line(y), x &+ 1), lanes(line(y &+ 1), x &+ 1), lanes(line(y &+ 2), x &+ 1),
        lanes(line(y &+ 3), x &+ 1), dy)
    }
    return Self.cubic(row(y, x, dx), row(y &+ 1, x, dx), row(y &+ 2, x, dx), row(y &+ 3, x, dx), dy)
  }

  @inline(__always)
  private func line(_ y: Int) -> UnsafePointer<UInt8> {
    pointer + min(max(y, 0), height &- 1) &* rowBytes
  }

  @inline(__always)
  private func row(_ y: Int, _ x: Int, _ dx: Double) -> SIMD4<Double> {
    let row = line(y)
    return Self.cubic(
      lanes(row, x), lanes(row, x &+ 1), lanes(row, x &+ 2), lanes(row, x &+ 3), dx)
  }

  @inline(__always)
  private func lanes(_ row: UnsafePointer<UInt8>, _ x: Int) -> SIMD4<Double> {
    cpixels_numbers(row + min(max(x, 0), width &- 1) &* channels)
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
