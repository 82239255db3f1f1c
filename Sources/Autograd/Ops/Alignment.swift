import Tensors

/// The distance of a sample's features from those of its companion.
public enum FeatureDistance: String, Codable, Sendable {
  /// Mean of the squared differences over tokens and channels.
  case mse
  /// The Euclidean norm of the difference.
  case l2norm
}

extension Context {
  /// z unchanged, with factor · Σ over samples of the distance from ẑ to z added to the loss.
  ///
  /// The value is not in the result: it is the second part, without the factor; whoever calls adds it.
  ///
  /// - Parameters:
  ///   - z, companion: `[batch, tokens, width]`, the companion from earlier on the same tape.
  ///   - stopsGradient: leaves z alone, so that only the companion moves.
  public func aligned(
    _ z: Variable, with companion: Variable, by distance: FeatureDistance, factor: Float,
    stopsGradient: Bool = false
  ) -> (z: Variable, distance: Double) {
    let batch = z.shape[0]
    let run = z.tensor.count / batch
    let (a, b) = (z.tensor, companion.tensor)
    let squares = (0..<batch).map {
      Elementwise.squaredDistance(a.pointer + $0 * run, b.pointer + $0 * run, count: run)
    }
    let values = squares.map { distance == .mse ? $0 / Double(run) : $0.squareRoot() }
    // d distance / dz = slope · (z - ẑ) for each sample.
    let slopes = values.map { value in
      factor * (distance == .mse ? 2 / Float(run) : 1 / Float(max(value, 1e-12)))
    }
    let (zEdge, companionEdge) = (z.edge, companion.edge)
    let result = record("aligned", a, from: [z, companion]) { d, tape in
      if companionEdge.isTracked {
        let (dCompanion, adding) = tape.accumulator(for: companionEdge)
        for (sample, slope) in slopes.enumerated() {
          Elementwise.addDifference(
            b.pointer + sample * run, a.pointer + sample * run, times: slope,
            to: dCompanion.pointer + sample * run, adding: adding, count: run)
        }
      }
      if !stopsGradient {
        for (sample, slope) in slopes.enumerated() {
          Elementwise.addDifference(
            a.pointer + sample * run, b.pointer + sample * run, times: slope,
            to: d.pointer + sample * run, adding: true, count: run)
        }
      }
      tape.give(d, to: zEdge)
    }
    return (result, values.reduce(0, +))
  }
}
