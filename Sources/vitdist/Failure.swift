import Archives
import Attacks
import Checkpoints
import Collectives
import Configuration
import Datasets
import Glibc
import Training

/// How an error ends the program: one paragraph and the contract's exit code.
enum Failure {
  /// Microseconds that other ranks leave rank 0 to speak first: most errors meet all ranks alike.
  static let patience: UInt32 = 2_000_000

  static func exitCode(of error: any Error) -> Int32 {
    switch error {
    case is ConfigurationError: 64
    case let error as ArchiveError: error.kind == .badData ? 65 : 74
    case let error as CheckpointError: error.kind == .badData ? 65 : 74
    case is SampleError, is ImageError: 65
    case let error as AttackError: error.kind == .badData ? 65 : 70
    case let error as CollectiveError: error.call == "start" ? 64 : 70
    case TrainingError.stoppedOnRequest, TrainingError.outOfTime: 75
    case is ReplicaError: 77
    default: 70
    }
  }

  /// Says what happened and ends the job on all ranks.
  static func end(_ error: any Error, on communicator: (any Communicator)?) -> Never {
    let code = exitCode(of: error)
    let ranks = communicator?.size ?? 1
    let rank = communicator?.rank ?? 0
    if code == 75 {
      if rank == 0 { printError("vitdist: \(error)") }
      Session.finish(communicator)
      exit(code)
    }
    // The launcher ends the other ranks by SIGTERM, which must not wake them to repeat rank 0's words.
    signal(SIGTERM, SIG_DFL)
    if rank != 0 { usleep(patience) }
    printError("vitdist: \(ranks > 1 ? "rank \(rank): " : "")\(error)")
    if ranks > 1, let communicator { communicator.abort(exitCode: code) }
    exit(code)
  }

  /// The watchdog is about to write its records: on a file system that hangs, that must not take for
  /// ever.
  @Sendable static func limitAlarm(_ seconds: Double) {
    signal(SIGALRM) { _ in _exit(76) }
    alarm(UInt32(seconds))
  }

  /// Ends a process whose main thread makes no progress, or waits for one that makes none. MPI is the
  /// main thread's: the launcher is told by the exit code alone.
  @Sendable static func endByWatchdog(_ text: String) {
    if !text.isEmpty { printError("vitdist: \(text)") }
    _exit(76)
  }
}
