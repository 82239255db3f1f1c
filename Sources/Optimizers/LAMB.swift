import Configuration

/// Layer-wise adaptive moments for large batches (You et al., ICLR 2020, algorithm 2):
/// ```
/// r = m̂/(√v̂ + ε) + λθ    θ ← θ − η · ‖θ‖/‖r‖ · r      per tensor; the ratio is 1 if a norm is 0
/// ```
/// Tensors without weight decay take the ratio 1, as in NVIDIA's and timm's implementations.
public struct LAMB: Optimizer {
  public static let kind = "lamb"
  public static let about = "Adam with a trust ratio per tensor, for very large batches"

  /// Rate η before the schedule.
  public var learningRate = 5e-3
  /// λ.
  public var weightDecay = 0.02
  /// Decay of the first moment.
  public var beta1 = 0.9
  /// Decay of the second moment.
  public var beta2 = 0.999
  /// Added to the root of the second moment.
  public var epsilon = 1e-6

  public init() {}

  public var stateNames: [String] { ["lamb.m", "lamb.v"] }

  public func validate() throws {
    try validateRates()
    try validateUnit("beta1", beta1)
    try validateUnit("beta2", beta2)
    try validateEpsilon(epsilon)
  }

  /// Two passes: r takes the gradient's place in the first, because its norm must be known before
  /// the second.
  public func update(
    _ slabs: OptimizerSlabs, owned: Ownership, step: OptimizerStep, norms: any ParameterNorms
  ) throws {
    let moments = AdamMoments(beta1: beta1, beta2: beta2, epsilon: epsilon, step: step)
    let count = owned.parameterOfSlice.count
    try withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * count) { sums in
      sums.update(repeating: 0)
      for slice in owned.slices {
        let parameters = UnsafePointer(slabs.parameters + slice.start)
        let update = slabs.gradients + slice.start
        Self.sweep(
          parameters, update, slabs.states[0] + slice.stateStart,
          slabs.states[1] + slice.stateStart, count: slice.count, moments: moments,
          decay: slice.decays ? Float(weightDecay) : 0)
        sums[slice.number] = sumOfSquares(parameters, count: slice.count)
        sums[count + slice.number] = sumOfSquares(update, count: slice.count)
      }
      try norms.combine(sums)
      apply(slabs, owned, rate: step.learningRate, sums: sums)
    }
  }

  private static func sweep(
    _ parameters: UnsafePointer<Float>, _ update: UnsafeMutablePointer<Float>,
    _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, count: Int,
    moments: AdamMoments, decay: Float
  ) {
    for i in 0..<count {
      let (m, v) = moments.advanced(first[i], second[i], gradient: update[i])
      first[i] = m
      second[i] = v
      update[i] = moments.direction(m, v).addingProduct(decay, parameters[i])
    }
  }

  private func apply(
    _ slabs: OptimizerSlabs, _ owned: Ownership, rate: Double,
    sums: UnsafeMutableBufferPointer<Double>
  ) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * owned.parameterCount) { totals in
      totals.update(repeating: 0)
      for (number, parameter) in owned.parameterOfSlice.enumerated() {
        totals[parameter] += sums[number]
        totals[owned.parameterCount + parameter] += sums[owned.parameterOfSlice.count + number]
      }
      for slice in owned.slices {
        let weight = totals[slice.parameter].squareRoot()
        let update = totals[owned.parameterCount + slice.parameter].squareRoot()
        let trust = slice.decays && weight > 0 && update > 0 ? weight / update : 1
        let factor = Float(-rate * trust)
        let parameters = slabs.parameters + slice.start
        let direction = UnsafePointer(slabs.gradients + slice.start)
        for i in 0..<slice.count {
          parameters[i] = parameters[i].addingProduct(factor, direction[i])
        }
      }
    }
  }
}

extension CatalogEntry<any Optimizer> {
  public static var lamb: Self { Self(LAMB.self) { $0 } }
}
