import Collectives
import Configuration

/// How virtual shards are dealt to the ranks. Bits do not depend on it.
public enum Balance: Sendable, Equatable {
  /// The same number for every rank, as far as it goes.
  case even
  /// By measured speed, begun even.
  case measured
  /// So many for each rank.
  case counts([Int])

  /// - Parameter text: `even`, `auto` or numbers such as `20,12`.
  /// - Throws: `ConfigurationError` for `balance`.
  public init(_ text: String) throws {
    switch text {
    case "even": self = .even
    case "auto": self = .measured
    default:
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      let counts = parts.compactMap { Int($0.filter { $0 != " " }) }
      guard counts.count == parts.count, counts.allSatisfy({ $0 > 0 }) else {
        throw ConfigurationError(
          "balance", "\"\(text)\" is not a way to deal shards",
          remedy: "Give even, auto, or the virtual shards of every rank, such as 20,12")
      }
      self = .counts(counts)
    }
  }

  /// How a run begins.
  ///
  /// - Throws: `ConfigurationError` if the numbers are not of these ranks and shards.
  public func assignment(shards: Int, ranks: Int) throws -> ShardAssignment? {
    // More ranks than shards are the reducer's to refuse.
    guard case .counts(let counts) = self else { return nil }
    guard counts.count == ranks, counts.reduce(0, +) == shards else {
      throw ConfigurationError(
        "balance",
        "names \(counts.reduce(0, +)) shards of \(counts.count) ranks, and the run has \(shards) "
          + "virtual shards on \(ranks) ranks",
        remedy: "Give \(ranks) numbers that add up to \(shards), or auto")
    }
    return ShardAssignment(counts: counts)
  }

  /// Gain below which nothing is changed: measurements are noisy, and uneven shares cost messages.
  private static let leastGain = 0.05

  /// Shares by the measured speeds, if they would shorten the step by one part in twenty.
  package func better(than now: ShardAssignment, _ times: RankTimes) -> ShardAssignment? {
    guard self == .measured, times.compute.count > 1, times.compute.allSatisfy({ $0 > 0 }) else {
      return nil
    }
    let speeds = zip(now.counts, times.compute).map { Double($0) / $1 }
    let other = ShardAssignment(shards: now.shards, speeds: speeds)
    let gain = 1 - other.seconds(at: speeds) / now.seconds(at: speeds)
    return gain > Self.leastGain ? other : nil
  }
}
