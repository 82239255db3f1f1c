/// An attack within a ball whose radius is an option.
protocol BallAttack: Attack {
  var epsilon: PixelDistance { get set }
  /// Scales the step with the radius, where there is one of a given length.
  mutating func scaleStep(by factor: Double)
}

extension BallAttack {
  mutating func scaleStep(by factor: Double) {}

  public func scaled(by factor: Double) -> Self {
    guard factor != 1 else { return self }
    var scaled = self
    scaled.epsilon = PixelDistance(Double(threat.epsilon) * factor)
    scaled.scaleStep(by: factor)
    return scaled
  }
}
