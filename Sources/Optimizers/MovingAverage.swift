import Configuration

/// Exponential moving average of the parameters, for evaluation: θ̄ ← θ̄ + (1−ρ)(θ − θ̄) after every
/// step, from θ̄ = θ₀ (`Ownership.gather`).
public struct MovingAverage: Configurable {
  /// ρ; 0 keeps no average. DeiT: 0.99996 at a batch of 1024.
  public var decay = 0.0
  /// ρ is at most (1+s)/(10+s) after s steps, so that a short run forgets its start.
  public var warmup = true

  public init() {}

  public func validate() throws { try validateUnit("decay", decay) }

  /// Whether there is anything to do.
  public var isOn: Bool { decay > 0 }

  /// ρ for the update after optimizer step `step`, counted from 1.
  public func decay(afterStep step: Int) -> Double {
    warmup ? min(decay, Double(1 + step) / Double(10 + step)) : decay
  }

  /// - Parameters:
  ///   - average: compact, `Ownership.stateCount` floats.
  ///   - parameters: whole layout.
  public func update(
    _ average: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>, owned: Ownership,
    afterStep step: Int
  ) {
    let weight = Float(1 - decay(afterStep: step))
    for slice in owned.slices {
      let average = average + slice.stateStart
      let parameters = parameters + slice.start
      for i in 0..<slice.count {
        average[i] = average[i].addingProduct(weight, parameters[i] - average[i])
      }
    }
  }
}
