/// Who holds up a job that stands still, by what all ranks were doing.
package struct StallFinding: Sendable, Equatable {
  /// Ranks that do not wait for others, or do nothing at all.
  package let suspects: [FlightRecord]
  /// Ranks of which there is no record.
  package let missing: [Int]
  let ranks: Int

  /// In this order: a process that stands still; one that does not wait for others, the longest silent;
  /// ranks nobody hears of; the rank that is furthest behind.
  package init(_ records: [FlightRecord], ranks: Int) {
    self.ranks = ranks
    let known = Set(records.map(\.rank))
    let missing = (0..<ranks).filter { !known.contains($0) }
    let frozen = records.filter(\.isFrozen)
    let busy = records.filter { !$0.phase.isWaiting }
    if !frozen.isEmpty {
      (suspects, self.missing) = (frozen, [])
    } else if let longest = busy.max(by: { $0.secondsSilent < $1.secondsSilent }) {
      (suspects, self.missing) = ([longest], [])
    } else if !missing.isEmpty {
      (suspects, self.missing) = ([], missing)
    } else {
      let least = records.map(\.step).min() ?? 0
      let behind = records.filter { $0.step == least }
      (suspects, self.missing) = (
        behind.max { $0.secondsSilent < $1.secondsSilent }.map { [$0] } ?? [], []
      )
    }
  }

  /// One paragraph for people.
  package func text(
    limitSeconds: Double, folder: String, _ advice: WatchdogAdvice = .training
  ) -> String {
    let limit = Self.shortened(limitSeconds)
    var sentences = ["the watchdog saw a rank make no progress for \(limit) s."]
    for suspect in suspects.prefix(4) {
      let state = suspect.processState.isEmpty ? "" : "; its process is \(suspect.processState)"
      sentences.append(
        "\(suspect.name)\(suspect.step > 0 ? ", step \(suspect.step)," : "") has been in \"\(suspect.phase.text(suspect.detail))\" "
          + "for \(Self.shortened(suspect.secondsSilent)) s\(state).")
    }
    if suspects.count > 4 { sentences.append("So have \(suspects.count - 4) others.") }
    if !missing.isEmpty {
      let list = missing.prefix(8).map(String.init).joined(separator: ", ")
      sentences.append(
        "Nothing is heard of rank\(missing.count > 1 ? "s" : "") \(list)"
          + (missing.count > 8 ? ", ... (\(missing.count) ranks)." : "."))
    }
    if ranks > suspects.count + missing.count { sentences.append("The other ranks wait for it.") }
    sentences.append(
      "The last events of every rank are in \(folder). Look at that node and its file system, leave it "
        + "out if need be, and start the same command again\(advice.again); raise "
        + "\(advice.limit) (\(limit)) if this phase may take so long.")
    return sentences.joined(separator: " ")
  }

  private static func shortened(_ seconds: Double) -> String {
    let rounded = (seconds * 10).rounded() / 10
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}
