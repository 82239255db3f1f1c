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
    let pairs = BicubicPairs(source, self)
    for y in 0..<target.height {
      let row = target.pointer + y * target.rowBytes
      func writeSingly(_ pixels: Range<Int>) {
        for x in pixels {
          let (u, v) = (Double(x) + 0.5, Double(y) + 0.5)
          let value = sampler.pixel(x: a * u + b * v + c, y: d * u + e * v + f) ?? fill
          let out = row + x * source.channels
          if source.channels == 3 { (out[1], out[2]) = (value[1], value[2]) }
          out[0] = value[0]
        }
      }
      let inner = runs?.write(y, into: row) ?? pairs?.write(y, into: row) ?? 0..<0
      writeSingly(0..<inner.lowerBound)
      writeSingly(inner.upperBound..<target.width)
    }
  }

  /// Pixels of row `y` that the map sends into a rectangle, 0 ..< 0 if there are none. Those that it sends to
  /// within 1/1000 of the rectangle's edges may be missing, as rounding leaves them to chance.
  func pixels(
    ofRow y: Int, from candidates: Range<Int>, into columns: ClosedRange<Double>,
    _ rows: ClosedRange<Double>
  ) -> Range<Int> {
    var (first, last) = (Double(candidates.lowerBound), Double(candidates.upperBound - 1))
    // slope · (x + ½) + start
    func keep(_ slope: Double, _ start: Double, in places: ClosedRange<Double>) {
      let (least, most) = (places.lowerBound + 1e-3 - start, places.upperBound - 1e-3 - start)
      guard slope != 0 else {
        if least > 0 || most < 0 { last = -.infinity }
        return
      }
      first = max(first, min(least / slope, most / slope) - 0.5)
      last = min(last, max(least / slope, most / slope) - 0.5)
    }
    let v = Double(y) + 0.5
    keep(a, b * v + c, in: columns)
    keep(d, e * v + f, in: rows)
    (first, last) = (first.rounded(.up), last.rounded(.down))
    return first <= last ? Int(first)..<Int(last) + 1 : 0..<0
  }
}
