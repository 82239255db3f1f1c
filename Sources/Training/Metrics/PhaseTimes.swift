import Glibc

/// Seconds since it was made or last read, by a clock that never jumps.
public struct Stopwatch: Sendable {
  private var start: Double

  public init() { start = Self.now }

  /// The time since it was made or the last lap, which goes on.
  public var seconds: Double { Self.now - start }

  /// The time since the last lap; the next one starts now.
  public mutating func lap() -> Double {
    let now = Self.now
    defer { start = now }
    return now - start
  }

  /// Seconds since some fixed moment before the program's start.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}

/// What a step spends its time on.
public enum Phase: Int, CaseIterable, Sendable {
  /// Forward and backward passes.
  case compute
  /// Waiting for the next batch.
  case data
  /// Waiting for other ranks: gradients summed, weights gathered.
  case reduce
  /// The optimizer's arithmetic.
  case update
}

/// Seconds per phase since the last `reset`.
///
/// Lap a stopwatch between the phases:
/// ```
/// times.add(.data, watch.lap())
/// ```
public struct PhaseTimes: Sendable, Equatable {
  private var spent = SIMD4<Double>()

  public init() {}

  /// Adds seconds to a phase.
  public mutating func add(_ phase: Phase, _ seconds: Double) { spent[phase.rawValue] += seconds }

  /// Seconds of one phase.
  public func seconds(_ phase: Phase) -> Double { spent[phase.rawValue] }

  /// Seconds of all phases.
  public var total: Double { spent.sum() }

  /// Part of the total, 0 ... 1; 0 before anything was measured.
  public func share(_ phase: Phase) -> Double { total > 0 ? seconds(phase) / total : 0 }

  /// Forgets all times.
  public mutating func reset() { spent = .zero }

  /// `compute 93 %, data 1 %, reduce 4 %, update 2 %`
  public var text: String {
    Phase.allCases.map { "\($0) \(Int((100 * share($0)).rounded())) %" }.joined(separator: ", ")
  }
}
