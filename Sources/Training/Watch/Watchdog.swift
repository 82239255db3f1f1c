import Archives
import Collectives
import Foundation
import Synchronization

/// Ends a job in which a rank makes no progress, and says which.
///
/// A thread of every rank looks at the board of its node some times a second; it never calls MPI, and
/// allocates nothing until something is wrong. Since no rank gets further than one step past another, a
/// rank that stands still stops all marks within a step, so every node notices by itself. Then every
/// rank leaves its last events in the run's folder (the lowest living rank of a node also those of
/// ranks that cannot), one says who is to blame, and all end. Where a link is cut that one may be on the
/// side that nobody hears; so the node of rank 0, where the launcher usually is, says it in any case.
public final class Watchdog: @unchecked Sendable {
  /// For the main thread.
  public let marks: Marks

  private let launch: Launch
  private let board: FlightBoard
  /// This rank's on the board.
  private let slot: Int
  private let job: String
  private let folder: String
  private let limit: UInt64
  private let advice: WatchdogAdvice
  private let prepare: @Sendable (Double) -> Void
  private let end: @Sendable (String) -> Void
  private let started = Date().timeIntervalSince1970
  private let isStopped = Atomic<Bool>(false)

  /// - Parameters:
  ///   - folder: where flight records go, made when there are any.
  ///   - advice: what the verdict tells people to do.
  ///   - fault: put into the rank that it names.
  ///   - prepare: called on the watchdog's thread before it touches files, with the seconds after which
  ///     something else should end the process.
  ///   - end: called there at last with what to tell people, or nothing where another rank does; to end
  ///     the process.
  public init(
    _ launch: Launch, _ options: WatchdogOptions, folder: String,
    advice: WatchdogAdvice = .training, fault: TrainingFault? = nil,
    prepare: @escaping @Sendable (Double) -> Void = { _ in },
    end: @escaping @Sendable (String) -> Void
  ) {
    self.launch = launch
    self.folder = folder
    self.advice = advice
    self.prepare = prepare
    self.end = end
    job = launch.job.isEmpty ? "process \(getpid())" : launch.job
    limit = UInt64(options.limitSeconds * 1e9)
    board = FlightBoard(launch)
    slot = min(launch.localRank, board.size - 1)
    board.claim(slot, rank: launch.rank)
    marks = Marks(board, slot: slot, fault: fault?.rank == launch.rank ? fault : nil)
    marks(.begin)
    if limit > 0 { QuietThread.startDetached { [self] in watch() } }
  }

  /// All ranks of the node have a watchdog.
  public func allHaveStarted() { board.hide() }

  /// The run is over; its end may take what time it needs.
  public func stop() { isStopped.store(true, ordering: .relaxed) }

  private static func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }

  private var interval: UInt64 { min(Self.nanoseconds(0.5), limit / 10) }
  /// After so long without a look a process stands still.
  private var patience: UInt64 { min(max(Self.nanoseconds(1), limit / 4), Self.nanoseconds(10)) }

  private func watch() {
    var last = FlightBoard.now
    while !isStopped.load(ordering: .relaxed) {
      usleep(UInt32(interval / 1000))
      let now = FlightBoard.now
      // This process was stopped for a while, perhaps with all others: the time does not count.
      if now - last > patience { board.raise(.forgiven, now) }
      last = now
      board.store(.seen, now, of: slot)
      if board.common(.alarm) > 0 || isStalled(at: now) { return alarm() }
    }
    board.store(.claimed, 0, of: slot)
  }

  private func isStalled(at now: UInt64) -> Bool {
    let forgiven = board.common(.forgiven)
    for other in 0..<board.size where board.isClaimed(other, margin: limit) {
      let (last, phase) = board.lastMark(of: other)
      let mark = max(last, forgiven)
      guard mark > 0, now > mark, now - mark > limit else { continue }
      // Chunks of an evaluation are dealt once: the others may be slower, but their nodes watch them.
      let isPatient = phase == .score && !isFrozen(other)
      if !isPatient || (now - mark) / Self.patienceForScores > limit { return true }
    }
    return false
  }

  /// So many limits a rank waits for the scores of others.
  private static let patienceForScores: UInt64 = 10
}

// MARK: When a rank stands still

extension Watchdog {
  private func alarm() {
    prepare(5 * grace + 60)
    board.raise(.alarm, FlightBoard.now)
    board.hide()
    try? FileSystem.makeFolder(folder)
    write(slot)
    let living = (0..<board.size).filter { board.isClaimed($0, margin: limit) && !isFrozen($0) }
    guard living.first ?? slot == slot else {
      wait(seconds: 3 * grace + 10) { board.common(.verdict) > 0 }
      return end("")
    }
    let frozen = (0..<board.size).filter { board.isClaimed($0, margin: limit) && isFrozen($0) }
    for other in frozen { write(other) }
    wait(seconds: grace) {
      (0..<launch.size).allSatisfy { read($0) != nil }
    }
    let text = announcement
    board.raise(.verdict, 1)
    // A stopped process cannot end itself; awake, its watchdog sees the alarm.
    for other in frozen where other != slot {
      kill(pid_t(truncatingIfNeeded: board.load(.process, of: other)), SIGCONT)
    }
    end(text)
  }

  /// Seconds for other nodes to notice.
  private var grace: Double { max(2, Double(limit) * 1e-10) }

  private func isFrozen(_ other: Int) -> Bool {
    let (now, seen) = (FlightBoard.now, board.load(.seen, of: other))
    return other != slot && now > seen && now - seen > patience
  }

  /// Where a rank of this node stands, as its slot says.
  private func record(_ other: Int, at now: UInt64) -> FlightRecord {
    var record = FlightRecord()
    record.job = job
    record.time = Date().timeIntervalSince1970
    record.rank = Int(board.load(.rank, of: other))
    record.host = Launch.host
    record.process = Int(board.load(.process, of: other))
    if let last = board.events(of: other, limit: 1).last {
      (record.step, record.phase, record.detail) = (last.step, last.phase, last.detail)
      record.secondsSilent = FlightRecord.seconds(from: last.time, to: now)
    }
    record.isFrozen = isFrozen(other)
    record.processState = FlightRecord.state(of: record.process)
    return record
  }

  /// Where the folder cannot be written there is still the verdict.
  private func write(_ other: Int) {
    let now = FlightBoard.now
    try? record(other, at: now).write(board.events(of: other), at: now, folder: folder)
  }

  /// This node's ranks from the board, the others as far as they have written.
  private var records: [FlightRecord] {
    let now = FlightBoard.now
    let near = (0..<board.size).filter { board.isClaimed($0, margin: limit) }
      .map { record($0, at: now) }
    let known = Set(near.map(\.rank))
    return near
      + (0..<launch.size).filter { !known.contains($0) }.compactMap(read)
  }

  private func read(_ rank: Int) -> FlightRecord? {
    FlightRecord.read(rank: rank, job: job, since: started, in: folder)
  }

  /// What this node has to tell people: the verdict if it is the one that judges, or that of rank 0.
  private var announcement: String {
    let isFirst = (0..<board.size).contains {
      board.isClaimed($0, margin: limit) && board.load(.rank, of: $0) == 0
    }
    // The others leave it to that node for a while, so that usually there is one paragraph.
    if !isFirst { wait(seconds: grace) { verdictOfAll != nil } }
    if let text = judge() { return text }
    guard isFirst else { return "" }
    wait(seconds: grace) { verdictOfAll != nil }
    return verdictOfAll ?? verdict
  }

  private var verdictFile: String { "\(folder)/verdict.txt" }

  /// What a node of this job has written; nil until it is all there.
  private var verdictOfAll: String? {
    guard !verdictIsStale, let data = FileManager.default.contents(atPath: verdictFile),
      data.last == UInt8(ascii: "\n")
    else { return nil }
    return String(decoding: data.dropLast(), as: UTF8.self)
  }

  /// A run before this one may have left its own; this one can have none before the limit is over.
  private var verdictIsStale: Bool {
    var info = stat()
    let earliest = started + Double(limit) * 1e-9 - FlightRecord.clockSkew
    return stat(verdictFile, &info) == 0 && Double(info.st_mtim.tv_sec) < earliest
  }

  /// Of all nodes one judges: who makes the file. nil where another has.
  private func judge() -> String? {
    if verdictIsStale { unlink(verdictFile) }
    let file = open(verdictFile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    if file < 0 && errno == EEXIST { return nil }
    let text = verdict
    if file >= 0 {
      let bytes = Array((text + "\n").utf8)
      _ = Glibc.write(file, bytes, bytes.count)
      close(file)
    }
    return text
  }

  private var verdict: String {
    StallFinding(records, ranks: launch.size)
      .text(limitSeconds: Double(limit) * 1e-9, folder: folder, advice)
  }

  private func wait(seconds: Double, until condition: () -> Bool) {
    let last = FlightBoard.now + Self.nanoseconds(seconds)
    while !condition(), FlightBoard.now < last { usleep(20_000) }
  }
}
