import Collectives

/// Where every rank's time went, in seconds a step.
public struct RankTimes: Sendable, Equatable {
  /// Forward and backward passes of its virtual shards.
  public let compute: [Double]
  /// Waiting for batches.
  public let data: [Double]
  /// Adding up, exchanging and waiting for other ranks.
  public let wait: [Double]

  package init(compute: [Double], data: [Double], wait: [Double]) {
    (self.compute, self.data, self.wait) = (compute, data, wait)
  }

  /// The rank that computes longest.
  public var slowest: Int { compute.indices.max { compute[$0] < compute[$1] } ?? 0 }

  /// What the slowest rank takes over what the mean takes: 1 is balanced, and the part above it is time
  /// that the others wait.
  public var imbalance: Double {
    let mean = compute.reduce(0, +) / Double(compute.count)
    return mean > 0 ? compute[slowest] / mean : 1
  }

  /// `compute 0.92 to 1.10 s a step (slowest rank 1 (node7)), ...`
  func text(_ names: RankNames) -> String {
    func span(_ values: [Double]) -> String {
      "\(shortened(values.min() ?? 0)) to \(shortened(values.max() ?? 0)) s"
    }
    return "compute \(span(compute)) a step (slowest \(names[slowest])), data \(span(data)), "
      + "exchange and waiting \(span(wait)), imbalance \(shortened(imbalance))"
  }

  private func shortened(_ value: Double) -> String {
    let digits = value < 1 ? 1000.0 : 100
    return "\((value * digits).rounded() / digits)"
  }
}

/// Adds up this rank's times and tells them to the others now and then.
struct RankPace {
  /// Steps of a process that are not counted: memory and files are touched for the first time.
  static let warmup = 2
  /// The first exchange comes after so many steps of a process, the others every so many.
  static let first = 8
  static let period = 50

  private let communicator: any Communicator
  private var taken = 0
  private var sums = [0.0, 0.0, 0.0, 0.0]
  private var whole = [0.0, 0.0, 0.0, 0.0]

  init(_ communicator: any Communicator) { self.communicator = communicator }

  /// Counts a step. At the cadence, which is the same on all ranks: every rank's times since the last.
  mutating func record(_ report: StepReport) throws -> RankTimes? {
    taken += 1
    if taken > Self.warmup {
      let part = [1, report.computeSeconds, report.dataSeconds, report.reduceSeconds]
      for i in sums.indices { sums[i] += part[i] }
    }
    guard taken == Self.first || taken % Self.period == 0 else { return nil }
    defer { forget() }
    return try gathered(sums)
  }

  /// Since the run began; nil for a run too short to tell.
  mutating func overall() throws -> RankTimes? {
    forget()
    return taken > Self.warmup ? try gathered(whole) : nil
  }

  private mutating func forget() {
    for i in sums.indices {
      whole[i] += sums[i]
      sums[i] = 0
    }
  }

  private func gathered(_ sums: [Double]) throws -> RankTimes {
    let all = try communicator.allGather(sums)
    func column(_ place: Int) -> [Double] {
      (0..<communicator.size).map { all[4 * $0 + place] / max(1, all[4 * $0]) }
    }
    return RankTimes(compute: column(1), data: column(2), wait: column(3))
  }
}
