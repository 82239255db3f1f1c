import Testing
import Training

/// Who is named when a job stands still.
@Suite struct StallFindingTests {
  private func record(
    _ rank: Int, _ phase: FlightPhase, step: Int = 5, silent: Double = 3, frozen: Bool = false
  ) -> FlightRecord {
    var record = FlightRecord()
    (record.rank, record.phase, record.step) = (rank, phase, step)
    (record.secondsSilent, record.isFrozen) = (silent, frozen)
    (record.host, record.process, record.detail) = ("node\(rank)", 100 + rank, 17)
    return record
  }

  @Test func aProcessThatStandsStillIsNamedFirst() {
    let finding = StallFinding(
      [record(0, .reduce), record(1, .reduce, frozen: true), record(2, .compute)], ranks: 3)
    #expect(finding.suspects.map(\.rank) == [1] && finding.missing.isEmpty)
  }

  @Test func ofThoseThatDoNotWaitTheLongestSilentIsNamed() {
    let finding = StallFinding(
      [record(0, .reduce, silent: 9), record(1, .compute, silent: 4), record(2, .data, silent: 7)],
      ranks: 4)
    #expect(finding.suspects.map(\.rank) == [2] && finding.missing.isEmpty)
  }

  @Test func ranksNobodyHearsOfAreNamedWhereAllOthersWait() {
    let finding = StallFinding([record(0, .reduce), record(3, .gather)], ranks: 4)
    #expect(finding.suspects.isEmpty && finding.missing == [1, 2])
  }

  @Test func whereAllWaitTheLastIsNamed() {
    let finding = StallFinding(
      [record(0, .total, step: 6), record(1, .gather, step: 5), record(2, .reduce, step: 6)],
      ranks: 3)
    #expect(finding.suspects.map(\.rank) == [1])
  }

  @Test func theParagraphSaysWhoWhereAndWhatToDo() {
    let text = StallFinding([record(0, .reduce), record(1, .compute, silent: 4.26)], ranks: 2)
      .text(limitSeconds: 3, folder: "run/flight")
    for words in [
      "rank 1 (node1, process 101), step 5", "forward and backward pass of virtual shard 17",
      "4.3 s", "run/flight", "watchdog.limitSeconds (3)", "go on from the last checkpoint",
    ] {
      #expect(text.contains(words), "\(text)")
    }
    #expect(!text.contains("\n"))
  }
}
