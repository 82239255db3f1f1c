/// Facts on which all ranks must agree before they train: binary, config, data, BLAS kernel.
public struct Agreement: Sendable {
  public typealias Fact = (name: String, value: String)

  /// One fact that differs, and who says what.
  public struct Difference: Sendable, Equatable, CustomStringConvertible {
    public let name: String
    /// Values with the ranks that hold them, in order of their first rank.
    public let holders: [Holder]
    let names: RankNames

    public struct Holder: Sendable, Equatable {
      public let value: String
      public let ranks: [Int]
    }

    public var description: String {
      name + ": "
        + holders.map { "\($0.value.isEmpty ? "nothing" : $0.value) on \(names($0.ranks))" }
        .joined(separator: "; ")
    }
  }

  /// Compares every rank's facts; the same answer on all ranks, empty if they agree.
  public static func differences(_ facts: [Fact], on communicator: any Communicator) throws
    -> [Difference]
  {
    // One exchange, so that even programs of different versions come to its end.
    let mine = [("", Launch.host)] + facts
    let text = mine.map { "\(encoded($0.name))\t\(encoded($0.value))" }.joined(separator: "\n")
    let told = try communicator.allGather(text).map { decoded($0) }
    let hosts = RankNames(hosts: told.map { facts in facts.first { $0.name == "" }?.value ?? "" })
    let all = told.map { facts in facts.filter { $0.name != "" } }
    var names: [String] = []
    for fact in all.joined() where !names.contains(fact.name) { names.append(fact.name) }
    return names.compactMap { name in
      let values = all.map { facts in facts.first { $0.name == name }?.value ?? "" }
      if values.allSatisfy({ $0 == values[0] }) { return nil }
      var distinct: [String] = []
      for value in values where !distinct.contains(value) { distinct.append(value) }
      return Difference(
        name: name,
        holders: distinct.map { value in
          .init(value: value, ranks: values.indices.filter { values[$0] == value })
        }, names: hosts)
    }
  }

  /// Throws on all ranks, naming what differs and where.
  public static func check(_ facts: [Fact], on communicator: any Communicator) throws {
    let differences = try differences(facts, on: communicator)
    if differences.isEmpty { return }
    throw CollectiveError(
      "start", rank: communicator.rank,
      "the ranks do not agree on " + differences.map(\.description).joined(separator: " | "),
      remedy: "Start every rank with the same program, config, data and kind of machine")
  }

  private static func encoded(_ text: String) -> String {
    String(text.map { $0 == "\t" || $0 == "\n" ? " " : $0 })
  }

  private static func decoded(_ text: String) -> [Fact] {
    text.split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }
}
