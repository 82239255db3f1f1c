import Configuration
import Glibc

/// A fault that a test puts into one rank, as `VITDIST_TRAINING_FAULT` spells it. Never set in a run that
/// counts.
///
///     hang:rank=1,step=5               an endless loop
///     stop:rank=1,step=5               SIGSTOP
///     kill:rank=1,step=5               SIGKILL
///     slow:rank=1,factor=1.5           every shard takes 1.5 times its time
///     flip:rank=1,step=5               a flipped bit in this rank's weights after the step
///     nan:shard=3,step=5               not a number in the gradient of a virtual shard
///
/// Steps count from 1; without `step` it is every step. `phase=reduce` moves the first three from the
/// forward pass to another mark, such as `join` (start), `data`, `evaluate` or `save`.
public struct TrainingFault: Sendable, Equatable {
  public static let variable = "VITDIST_TRAINING_FAULT"

  public enum Kind: String, CaseIterable, Sendable {
    case hang, stop, kill, slow, flip, nan
  }

  public let kind: Kind
  public private(set) var rank = 0
  public private(set) var shard = 0
  public private(set) var factor = 2.0
  /// 0 for every step.
  public private(set) var step = 0
  private var phase = FlightPhase.compute
  private var hasStep = false

  /// - Throws: `ConfigurationError` for what is none of the above.
  public init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard let kind = Kind(rawValue: parts.first ?? "") else { throw Self.refusal(text) }
    self.kind = kind
    for pair in parts.count > 1 ? parts[1].split(separator: ",") : [] {
      let sides = pair.split(separator: "=").map(String.init)
      guard sides.count == 2, set(sides[0], sides[1]) else { throw Self.refusal(text) }
    }
  }

  private mutating func set(_ key: String, _ value: String) -> Bool {
    switch (key, Int(value), Double(value)) {
    case ("rank", let number?, _) where number >= 0: rank = number
    case ("shard", let number?, _) where number >= 0: shard = number
    case ("step", let number?, _) where number >= 0: (step, hasStep) = (number, true)
    case ("factor", _, let number?) where number >= 1: factor = number
    case ("phase", _, _):
      guard let found = FlightPhase(name: value) else { return false }
      phase = found
    default: return false
    }
    return true
  }

  private static func refusal(_ text: String) -> ConfigurationError {
    let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
    return ConfigurationError(
      variable, "\"\(text)\" is not a fault",
      remedy: "Unset the variable, or give e.g. hang:rank=1,step=5; kinds are \(kinds)")
  }

  private func happens(in step: Int) -> Bool { !hasStep || self.step == step }

  /// Ends or stops this process if it is time to; called by the marks of the rank that is struck.
  func strike(_ phase: FlightPhase, step: Int) {
    guard phase == self.phase, happens(in: step) else { return }
    switch kind {
    case .hang: while true { sched_yield() }
    case .stop: raise(SIGSTOP)
    case .kill: raise(SIGKILL)
    case .slow, .flip, .nan: return
    }
  }

  /// The seconds to wait after a shard that took so long.
  package func delay(rank: Int, after seconds: Double) -> Double {
    kind == .slow && rank == self.rank ? (factor - 1) * seconds : 0
  }

  package func flips(rank: Int, step: Int) -> Bool {
    kind == .flip && rank == self.rank && happens(in: step)
  }

  package func spoils(shard: Int, step: Int) -> Bool {
    kind == .nan && shard == self.shard && happens(in: step)
  }
}
