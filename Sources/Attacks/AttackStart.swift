import Glibc
import Tensors

/// Where an iterative attack begins.
public enum AttackStart: String, Codable, Sendable, CaseIterable {
  /// At the image itself.
  case clean
  /// Uniform in the ball, then clipped to the pixel box (Madry et al., 2018).
  case uniform
  /// The image plus 0.001 · N(0, 1): TRADES and MART, whose loss has no slope at the image itself.
  case normal

  /// A tensor of its own with the starting points of the rows `rows` of a batch.
  ///
  /// - Parameter clean: `[rows.count, …]`, the images of those rows.
  func points(
    around clean: Tensor, rows: [Int], _ threat: ThreatModel, _ keys: AttackKeys, restart: Int,
    pool: BufferPool
  ) -> Tensor {
    guard self != .clean else { return clean.copy(from: pool) }
    let points = Tensor(clean.shape, from: pool)
    let width = clean.count / max(rows.count, 1)
    for (position, row) in rows.enumerated() {
      let x = points.pointer + position * width
      let key = keys.key(.attackStart, row: row, restart: restart)
      let factor = drawNoise(key, threat, into: x, count: width)
      Elementwise.add(clean.pointer + position * width, x, times: factor, into: x, count: width)
    }
    threat.project(points, onto: clean)
    return points
  }

  /// Fills `x` with noise of one image; what it is to be multiplied by.
  private func drawNoise(
    _ key: RandomKey, _ threat: ThreatModel, into x: UnsafeMutablePointer<Float>, count: Int
  ) -> Float {
    if self == .uniform, threat.norm == .linf {
      for i in 0..<count { x[i] = 2 * key.uniformFloat(i) - 1 }
      return threat.epsilon
    }
    Self.fillWithNormals(x, count: count, key)
    guard self == .uniform else { return 0.001 }
    // Uniform in a ball of d dimensions: any direction, and the d-th root of a uniform radius.
    let radius = pow(key.uniform(count + count % 2), 1 / Double(count))
    let length = Perturbations.sumOfSquares(x, count: count).squareRoot()
    return Float(Double(threat.epsilon) * radius / max(length, 1e-12))
  }

  /// Elements 0 ..< `count` of the normal stream, both of a Box-Muller pair at a time.
  private static func fillWithNormals(
    _ x: UnsafeMutablePointer<Float>, count: Int, _ key: RandomKey
  ) {
    for first in stride(from: 0, to: count, by: 2) {
      let radius = sqrt(-2 * log(1 - key.uniform(first)))
      let angle = 2 * Double.pi * key.uniform(first + 1)
      x[first] = Float(radius * cos(angle))
      if first + 1 < count { x[first + 1] = Float(radius * sin(angle)) }
    }
  }
}
