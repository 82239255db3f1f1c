import Glibc
import Tensors

/// One image of the embedded data set before it is drawn: a shape with place, size, angle and
/// colour, over a gradient and a few strokes of clutter. Lengths are fractions of the image's width.
struct SyntheticScene {
  private typealias Color = SIMD4<Float>

  /// A thin line from one place to another.
  private struct Stroke {
    var x: Float
    var y: Float
    var alongX: Float
    var alongY: Float
    var color: Color
  }

  private let shape: SyntheticShape
  private let x: Float
  private let y: Float
  private let scale: Float
  private let cosine: Float
  private let sine: Float
  private let foreground: Color
  private let background: Color
  private let slope: (x: Color, y: Color)
  private let strokes: (Stroke, Stroke, Stroke)
  private let noise: Float

  /// Elements 0 to 63 of `key`.
  init(_ shape: SyntheticShape, _ key: RandomKey) {
    func uniform(_ element: Int, _ low: Float, _ high: Float) -> Float {
      low + (high - low) * key.uniformFloat(element)
    }
    func color(_ element: Int) -> Color {
      Color(uniform(element, 0, 1), uniform(element + 1, 0, 1), uniform(element + 2, 0, 1), 0)
    }
    self.shape = shape
    scale = uniform(0, 0.36, 0.46)
    (x, y) = (uniform(1, scale, 1 - scale), uniform(2, scale, 1 - scale))
    let angle = uniform(3, -0.25, 0.25)
    (cosine, sine) = (cosf(angle), sinf(angle))
    (foreground, background) = Self.contrasting(color(4), color(8))
    slope = ((color(12) - 0.5) * 0.35, (color(16) - 0.5) * 0.35)
    noise = uniform(20, 0.02, 0.1)
    let middle = background
    func stroke(_ element: Int) -> Stroke {
      Stroke(
        x: uniform(element, 0, 1), y: uniform(element + 1, 0, 1),
        alongX: uniform(element + 2, -0.35, 0.35), alongY: uniform(element + 3, -0.35, 0.35),
        color: middle + (color(element + 4) - middle) * 0.4)
    }
    strokes = (stroke(24), stroke(32), stroke(40))
  }

  /// Moves two colours apart in luma until they can be told apart, keeping which is the lighter.
  private static func contrasting(_ first: Color, _ second: Color) -> (Color, Color) {
    let weights = Color(0.299, 0.587, 0.114, 0)
    let difference = ((first - second) * weights).sum()
    let wanted: Float = 0.35
    let missing = max(0, wanted - abs(difference)) / 2
    let shift = difference < 0 ? -missing : missing
    return (first + shift, second - shift)
  }

  /// Draws `size` × `size` RGB pixels. Edges are smoothed over one pixel by their distance.
  ///
  /// Noise: element 64 + pixel, sixteen bits for each channel.
  func draw(into bytes: UnsafeMutablePointer<UInt8>, size: Int, _ key: RandomKey) {
    let pixel = 1 / Float(size)
    var out = bytes
    for row in 0..<size {
      let v = (Float(row) + 0.5) * pixel
      for column in 0..<size {
        let u = (Float(column) + 0.5) * pixel
        var color = background + slope.x * (u - 0.5) + slope.y * (v - 0.5)
        color = blend(color, strokes.0, u, v, size)
        color = blend(color, strokes.1, u, v, size)
        color = blend(color, strokes.2, u, v, size)
        let (du, dv) = ((u - x) / scale, (v - y) / scale)
        let distance = shape.distance(cosine * du + sine * dv, cosine * dv - sine * du)
        let coverage = min(max(0.5 - distance * scale * Float(size), 0), 1)
        color += (foreground - color) * coverage
        let bits = key.bits(64 + row * size + column)
        let grain = SIMD4<Float>(
          Float(bits & 0xFFFF), Float(bits >> 16 & 0xFFFF), Float(bits >> 32 & 0xFFFF), 0)
        color = (color + noise * (grain * (2 / 65535) - 1)) * 255 + 0.5
        for channel in 0..<3 {
          out[channel] = UInt8(truncatingIfNeeded: Int32(min(max(color[channel], 0), 255)))
        }
        out += 3
      }
    }
  }

  @inline(__always)
  private func blend(_ color: Color, _ stroke: Stroke, _ u: Float, _ v: Float, _ size: Int) -> Color
  {
    let (dx, dy) = (u - stroke.x, v - stroke.y)
    let length = stroke.alongX * stroke.alongX + stroke.alongY * stroke.alongY + 1e-6
    let along = min(max((dx * stroke.alongX + dy * stroke.alongY) / length, 0), 1)
    let (ex, ey) = (dx - along * stroke.alongX, dy - along * stroke.alongY)
    let distance = (ex * ex + ey * ey).squareRoot() - 0.02
    let coverage = min(max(0.5 - distance * Float(size), 0), 1)
    return color + (stroke.color - color) * coverage
  }
}
