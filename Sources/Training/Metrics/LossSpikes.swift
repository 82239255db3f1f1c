import Configuration

/// When a loss counts as a spike.
public struct LossSpikeOptions: Configurable {
  /// Losses before a step that it is compared with; 0: spikes are not looked for.
  public var window = 100
  /// Robust deviations above the median from which on a loss is reported.
  public var threshold = 8.0

  public init() {}

  public func validate() throws {
    guard window == 0 || (8...10_000).contains(window) else {
      throw ConfigurationError(
        "window", "is \(window)", remedy: "Give 0 for none, or from 8 to 10000 losses")
    }
    guard threshold > 0, threshold.isFinite else {
      throw ConfigurationError("threshold", "is \(threshold)", remedy: "Give e.g. 8")
    }
  }
}

/// Compares every loss with those just before it by median and median absolute deviation, which one
/// spike does not move: z = 0.6745 (x - median) / MAD (Iglewicz and Hoaglin, 1993). A function of the
/// reduced losses alone, so it is the same on any number of ranks. Reports, and does nothing else.
package struct LossSpikes {
  private let options: LossSpikeOptions
  private var window: [Double] = []
  private var next = 0
  private var sorted: [Double] = []

  package init(_ options: LossSpikeOptions) { self.options = options }

  /// The robust deviations of a loss that is a spike, nil for others. A loss that is not finite is passed
  /// over.
  package mutating func score(_ loss: Double) -> Double? {
    guard options.window > 0, loss.isFinite else { return nil }
    let score = window.count >= max(8, options.window / 4) ? deviations(loss) : 0
    if window.count < options.window {
      window.append(loss)
    } else {
      window[next] = loss
      next = (next + 1) % window.count
    }
    return score >= options.threshold ? score : nil
  }

  private mutating func deviations(_ loss: Double) -> Double {
    let median = medianOfWindow { $0 }
    let deviation = medianOfWindow { ($0 - median).magnitude }
    // Losses that are all alike say nothing of what is usual.
    return deviation > 0 ? 0.6745 * (loss - median) / deviation : 0
  }

  private mutating func medianOfWindow(_ value: (Double) -> Double) -> Double {
    sorted.removeAll(keepingCapacity: true)
    for loss in window { sorted.append(value(loss)) }
    sorted.sort()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
