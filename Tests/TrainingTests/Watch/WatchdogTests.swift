import Collectives
import Configuration
import Foundation
import Synchronization
import TestSupport
import Testing
import Training

/// Watchdogs of one process. Those of several ranks are tested with the program.
@Suite struct WatchdogTests {
  /// What a watchdog said at the end, if it came to one.
  private final class Verdict: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
  }

  private func options(_ seconds: Double) -> WatchdogOptions {
    var options = WatchdogOptions()
    options.limitSeconds = seconds
    return options
  }

  @Test func aSilentThreadIsFoundAndLeavesItsLastEvents() throws {
    let folder = try ScratchFolder()
    let verdict = Verdict()
    let watchdog = Watchdog(
      Launch { _ in nil }, options(1), folder: folder["flight"], end: { verdict.add($0) })
    watchdog.marks.begin(step: 4)
    for shard in 0..<300 { watchdog.marks(.compute, shard) }
    for _ in 0..<80 where verdict.all.isEmpty { usleep(50_000) }
    let text = try #require(verdict.all.first)
    #expect(text.contains("rank 0") && text.contains("step 4"), "\(text)")
    #expect(text.contains("forward and backward pass of virtual shard 299"), "\(text)")
    let lines = try String(contentsOfFile: folder["flight/rank-00000.jsonl"], encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 257 && lines[256].contains("\"detail\":299"))
    #expect(lines[1].contains("\"detail\":44"), "\(lines[1])")
    #expect(lines[0].contains("\"step\":4"), "\(lines[0])")
  }

  @Test func marksKeepItQuiet() throws {
    let folder = try ScratchFolder()
    let verdict = Verdict()
    let watchdog = Watchdog(
      Launch { _ in nil }, options(1), folder: folder["flight"], end: { verdict.add($0) })
    for shard in 0..<30 {
      usleep(50_000)
      watchdog.marks(.evaluate, shard)
    }
    watchdog.stop()
    usleep(1_500_000)
    #expect(verdict.all.isEmpty)
  }

  /// The others may be slower with their part of an evaluation.
  @Test func whoWaitsForScoresIsGivenMoreTime() throws {
    let folder = try ScratchFolder()
    let verdict = Verdict()
    let watchdog = Watchdog(
      Launch { _ in nil }, options(1), folder: folder["flight"], end: { verdict.add($0) })
    watchdog.marks(.score)
    usleep(2_500_000)
    #expect(verdict.all.isEmpty)
    watchdog.marks(.evaluate, 3)
    for _ in 0..<80 where verdict.all.isEmpty { usleep(50_000) }
    #expect(verdict.all.first?.contains("evaluating chunk 3") == true)
  }

  /// On a cut link the other side may have judged: the node of rank 0 repeats its words, others are
  /// silent. A verdict of an earlier run is nobody's.
  @Test(arguments: [0, 1], [0.0, 100.0])
  func theNodeOfRankZeroSpeaksWhoeverJudges(_ rank: Int, _ age: Double) throws {
    let folder = try ScratchFolder()
    let said = Verdict()
    let words = "the watchdog of another node said this"
    try FileManager.default.createDirectory(
      atPath: folder["flight"], withIntermediateDirectories: true)
    try Data("\(words)\n".utf8).write(to: URL(fileURLWithPath: folder["flight/verdict.txt"]))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -age)],
      ofItemAtPath: folder["flight/verdict.txt"])
    let variables = [
      "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "\(rank)", "PMIX_NAMESPACE": "7",
    ]
    let watchdog = Watchdog(
      Launch { variables[$0] }, options(1), folder: folder["flight"], end: { said.add($0) })
    watchdog.marks(.reduce, 2)
    for _ in 0..<200 where said.all.isEmpty { usleep(50_000) }
    let text = try #require(said.all.first)
    let file = try String(contentsOfFile: folder["flight/verdict.txt"], encoding: .utf8)
    if age == 0 {
      #expect(text == (rank == 0 ? words : "") && file == "\(words)\n")
    } else {
      #expect(text.contains("the watchdog saw") && file == "\(text)\n")
    }
  }

  @Test(arguments: [
    "", "sleep:rank=1", "hang:rank", "hang:rank=-1", "slow:factor=0.5", "kill:phase=lunch",
    "nan:shard=x",
  ]) func whatIsNoFaultIsRefused(_ text: String) {
    let error = #expect(throws: ConfigurationError.self) { try TrainingFault(text) }
    #expect(error?.key == TrainingFault.variable)
  }

  @Test func faultsStrikeWhereTheySay() throws {
    let nan = try TrainingFault("nan:shard=3,step=5")
    #expect(nan.spoils(shard: 3, step: 5) && !nan.spoils(shard: 3, step: 4))
    #expect(!nan.spoils(shard: 2, step: 5))
    let slow = try TrainingFault("slow:rank=1,factor=1.5")
    #expect(slow.delay(rank: 1, after: 2) == 1 && slow.delay(rank: 0, after: 2) == 0)
    let flip = try TrainingFault("flip:rank=2")
    #expect(flip.flips(rank: 2, step: 1) && flip.flips(rank: 2, step: 9))
    #expect(!flip.flips(rank: 1, step: 1))
  }
}
