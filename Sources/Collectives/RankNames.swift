/// What people call the ranks of a job: `rank 3 (node7)`.
public struct RankNames: Sendable, Equatable {
  public let hosts: [String]

  public init(hosts: [String]) { self.hosts = hosts }

  /// Every rank tells its host.
  public init(_ communicator: any Communicator) throws {
    hosts = try communicator.allGather(Launch.host)
  }

  public subscript(rank: Int) -> String {
    hosts.indices.contains(rank) ? "rank \(rank) (\(hosts[rank]))" : "rank \(rank)"
  }

  /// `rank 3 (node7)`, or `ranks 1, 3 (node7)`, `ranks 1 (node6), 3 (node7), ... (12 ranks)`.
  public func callAsFunction(_ ranks: [Int]) -> String {
    if ranks.count == 1 { return self[ranks[0]] }
    let shown = ranks.prefix(8)
    let list = shown.map { String(self[$0].dropFirst("rank ".count)) }.joined(separator: ", ")
    return "ranks \(list)" + (ranks.count > 8 ? ", ... (\(ranks.count) ranks)" : "")
  }
}
