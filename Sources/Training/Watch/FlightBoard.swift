import Collectives
import Glibc
import Synchronization

/// What the ranks of one node show each other without MPI: memory that they share, one slot a rank
/// with its last 256 marks and the time when its watchdog last looked.
///
/// It is a file in `/dev/shm`, named after job and launcher, so that it is there before MPI starts; once
/// all have it open its name is removed, and the system frees it with the last process, however that
/// ends. A rank that hangs or is stopped cannot speak, but what it wrote here can be read by the others.
/// Nothing is written to a shared file system before something is wrong.
final class FlightBoard: @unchecked Sendable {
  typealias Word = Atomic<UInt64>

  /// Places of the words that all slots have in common, and of those at the start of a slot.
  enum Common: Int { case forgiven, alarm, verdict }
  enum Field: Int { case claimed, seen, marks, process, rank, step }

  static let events = 256
  private static let head = 8
  private static let slotWords = head + 2 * events

  let size: Int
  private let words: UnsafeMutablePointer<Word>
  private let bytes: Int
  /// Of the file that still has a name; empty if none has.
  private let path: String
  private let opened = FlightBoard.now

  /// - Parameter launch: whose local ranks have slots.
  init(_ launch: Launch) {
    size = max(1, launch.localSize)
    bytes = (Self.head + size * Self.slotWords) * MemoryLayout<UInt64>.stride
    let name = "/dev/shm/vitdist-\(getuid())-\(launch.job)-\(getppid())"
    let file = size > 1 ? Self.open(name, bytes) : -1
    defer { if file >= 0 { close(file) } }
    path = file >= 0 ? name : ""
    let flags = file >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, file, 0)
    precondition(memory != nil && memory != MAP_FAILED, "no memory for \(bytes) bytes")
    words = memory!.assumingMemoryBound(to: Word.self)
  }

  deinit { munmap(words, bytes) }

  /// A file of another user or of a wrong kind is not taken; the rank then shows itself to no one.
  private static func open(_ name: String, _ bytes: Int) -> Int32 {
    let file = Glibc.open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return -1 }
    var info = stat()
    if fstat(file, &info) == 0, info.st_uid == getuid(), info.st_mode & S_IFMT == S_IFREG,
      ftruncate(file, off_t(bytes)) == 0
    {
      return file
    }
    close(file)
    return -1
  }

  /// Removes the name; to be called when all ranks of the node have the board.
  func hide() { if !path.isEmpty { unlink(path) } }

  /// Nanoseconds of a clock that never jumps and is the same for all processes of a node.
  static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Common words only grow.
  func raise(_ word: Common, _ value: UInt64) {
    words[word.rawValue].max(value, ordering: .relaxed)
  }

  func common(_ word: Common) -> UInt64 { words[word.rawValue].load(ordering: .relaxed) }

  func load(_ field: Field, of slot: Int) -> UInt64 {
    words[start(slot) + field.rawValue].load(ordering: .acquiring)
  }

  func store(_ field: Field, _ value: UInt64, of slot: Int) {
    words[start(slot) + field.rawValue].store(value, ordering: .releasing)
  }

  private func start(_ slot: Int) -> Int { Self.head + slot * Self.slotWords }

  /// Takes a slot for this process.
  func claim(_ slot: Int, rank: Int) {
    store(.claimed, 0, of: slot)
    store(.marks, 0, of: slot)
    store(.process, UInt64(getpid()), of: slot)
    store(.rank, UInt64(rank), of: slot)
    store(.step, 0, of: slot)
    store(.seen, Self.now, of: slot)
    store(.claimed, Self.now, of: slot)
  }

  /// Whether a rank of this job has the slot. A job that crashed as it started may have left its name
  /// and its marks, which are old.
  func isClaimed(_ slot: Int, margin: UInt64) -> Bool {
    let time = load(.claimed, of: slot)
    return time > 0 && time + margin >= opened
  }

  /// One event in two words: its time; and phase, detail and step in 8, 24 and 32 bits.
  func mark(_ phase: FlightPhase, _ detail: Int, slot: Int) {
    let base = start(slot)
    let count = words[base + Field.marks.rawValue].load(ordering: .relaxed)
    let step = words[base + Field.step.rawValue].load(ordering: .relaxed)
    let place = base + Self.head + 2 * Int(count % UInt64(Self.events))
    let what = UInt64(phase.rawValue) << 56 | UInt64(detail & 0xff_ffff) << 32 | step
    words[place].store(Self.now, ordering: .relaxed)
    words[place + 1].store(what, ordering: .relaxed)
    words[base + Field.marks.rawValue].store(count + 1, ordering: .releasing)
  }

  /// The last events of a slot, oldest first; at most `limit`.
  func events(of slot: Int, limit: Int = FlightBoard.events) -> [FlightEvent] {
    let count = load(.marks, of: slot)
    let first = count - min(count, UInt64(limit))
    return (first..<count).compactMap { number in
      let place = start(slot) + Self.head + 2 * Int(number % UInt64(Self.events))
      let what = words[place + 1].load(ordering: .relaxed)
      guard let phase = FlightPhase(rawValue: UInt8(what >> 56)) else { return nil }
      return FlightEvent(
        time: words[place].load(ordering: .relaxed), phase: phase,
        detail: Int(what >> 32 & 0xff_ffff), step: Int(what & 0xffff_ffff))
    }
  }

  /// When a slot was last marked, and as what; allocates nothing. 0 if never.
  func lastMark(of slot: Int) -> (time: UInt64, phase: FlightPhase) {
    let count = load(.marks, of: slot)
    if count == 0 { return (0, .begin) }
    let place = start(slot) + Self.head + 2 * Int((count - 1) % UInt64(Self.events))
    let phase = words[place + 1].load(ordering: .relaxed) >> 56
    return (
      words[place].load(ordering: .relaxed), FlightPhase(rawValue: UInt8(phase)) ?? .begin
    )
  }
}

/// A mark as it is read back.
struct FlightEvent: Sendable, Equatable {
  let time: UInt64
  let phase: FlightPhase
  let detail: Int
  let step: Int
}
