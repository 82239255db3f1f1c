/// An exchange between ranks that failed: which call, on which rank, with whom.
public struct CollectiveError: Error, Equatable, CustomStringConvertible {
  /// The operation, e.g. `send` or `start`.
  public let call: String
  /// The rank that noticed.
  public let rank: Int
  /// The other side of a transfer; -1 where all ranks take part.
  public let peer: Int
  public let problem: String
  public let remedy: String

  public init(_ call: String, rank: Int, peer: Int = -1, _ problem: String, remedy: String) {
    self.call = call
    self.rank = rank
    self.peer = peer
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String {
    "rank \(rank), \(call)\(peer < 0 ? "" : " with rank \(peer)"): \(problem). \(remedy)."
  }
}
