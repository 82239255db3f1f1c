import Tensors

/// What an adversary may do to an image: move within a ball around it and within the pixel box.
///
/// Distances are over all channels and pixels, in units of the pixel range 0...1.
public struct ThreatModel: Sendable, Equatable {
  public enum Norm: String, Codable, Sendable, CaseIterable {
    /// The largest change of a pixel.
    case linf
    /// The Euclidean length of the change.
    case l2
  }

  public let norm: Norm
  /// Radius ε of the ball.
  public let epsilon: Float
  /// Whether ε bounds anything; without it an image may go anywhere in the pixel box.
  public let isBounded: Bool

  public init(_ norm: Norm, epsilon: Float) {
    self.init(norm, epsilon: epsilon, isBounded: true)
  }

  private init(_ norm: Norm, epsilon: Float, isBounded: Bool) {
    self.norm = norm
    self.epsilon = epsilon
    self.isBounded = isBounded
  }

  /// - Parameter epsilon: `auto` is 8/255 for l∞ and 0.5 for l2, usual for images of 32 px.
  init(_ norm: Norm, epsilon: PixelDistance) {
    let usual: Float = norm == .linf ? 8 / 255 : 0.5
    self.init(norm, epsilon: epsilon.isAutomatic ? usual : Float(epsilon.value))
  }

  /// No bound but the pixel box: for l2 a radius beyond the distance of any two images.
  static func unbounded(_ norm: Norm) -> ThreatModel {
    ThreatModel(norm, epsilon: norm == .linf ? 1 : 1e6, isBounded: false)
  }

  /// The step of an attack that is given none: ε/4 for l∞, 2.5 ε over the number of steps for l2.
  func automaticStep(steps: Int) -> Float {
    norm == .linf ? epsilon / 4 : 2.5 * epsilon / Float(steps)
  }

  /// How far beyond the ball a result may lie, for the rounding of x ± ε to `Float`.
  static let tolerance = 1e-6
}

// MARK: - Moving inside the ball

extension ThreatModel {
  /// x ← P(x + step · d): d is the sign of `direction` for l∞, `direction` over its length for l2,
  /// nothing where that is zero.
  ///
  /// - Parameters: `x`, `direction` and `clean` are `[batch, …]`; `clean` lies in the pixel box.
  func step(_ x: Tensor, along direction: Tensor, by step: Float, around clean: Tensor) {
    switch norm {
    case .linf:
      Perturbations.signStep(
        x.pointer, along: direction.pointer, by: step, around: clean.pointer, epsilon: epsilon,
        count: x.count)
    case .l2:
      let width = x.count / max(x.shape[0], 1)
      for row in 0..<x.shape[0] {
        let d = direction.pointer + row * width
        let length = Perturbations.sumOfSquares(d, count: width).squareRoot()
        let factor = Float(Double(step) / max(length, 1e-12))
        Elementwise.add(d, times: factor, to: x.pointer + row * width, count: width)
      }
      project(x, onto: clean)
    }
  }

  /// x ← P(x). For l∞ the box of lower and upper bounds; for l2 the change is scaled to length ε at
  /// most, then clipped to the pixel box, which only shortens it.
  func project(_ x: Tensor, onto clean: Tensor) {
    switch norm {
    case .linf:
      Perturbations.clampToBox(
        x.pointer, around: clean.pointer, epsilon: epsilon, count: x.count)
    case .l2:
      let width = x.count / max(x.shape[0], 1)
      for row in 0..<x.shape[0] {
        let (p, c) = (x.pointer + row * width, clean.pointer + row * width)
        let length = Perturbations.sumOfSquares(p, minus: c, count: width).squareRoot()
        let factor = Float(min(1, Double(epsilon) / max(length, 1e-12)))
        Perturbations.rescale(p, around: c, by: factor, count: width)
      }
    }
  }

  /// The distance of two images in this norm.
  func distance(
    _ x: UnsafePointer<Float>, _ clean: UnsafePointer<Float>, count: Int
  ) -> Double {
    norm == .linf
      ? Double(Perturbations.largestChange(x, from: clean, count: count))
      : Perturbations.sumOfSquares(x, minus: clean, count: count).squareRoot()
  }
}
