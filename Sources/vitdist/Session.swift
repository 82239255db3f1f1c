import ArgumentParser
import Collectives
import Glibc
import Training

/// A command's connection to the ranks of its job and to the person in front of it.
struct Session {
  let communicator: any Communicator
  /// Of a command that has one.
  let watchdog: Watchdog?

  /// Human text: on standard error, from rank 0.
  func say(_ text: String) {
    if communicator.isRoot { printError(text) }
  }

  /// Machine output: on standard output, from rank 0.
  func output(_ text: String) {
    if communicator.isRoot { print(text) }
  }

  static func finish(_ communicator: (any Communicator)?) {
    try? (communicator as? MPICommunicator)?.finalize()
  }
}

/// A command that runs on all ranks of a job, or alone.
protocol RankedCommand: ParsableCommand {
  func run(_ session: Session) throws
  /// Watches the ranks from before MPI starts; nil for a command that may take as long as it likes.
  func watchdog(_ launch: Launch) -> Watchdog?
}

extension RankedCommand {
  func watchdog(_ launch: Launch) -> Watchdog? { nil }

  func run() throws {
    let launch = Launch()
    var communicator: (any Communicator)?
    let watchdog = watchdog(launch)
    do {
      watchdog?.marks(.join)
      let ranks = try launch.communicator()
      communicator = ranks
      watchdog?.allHaveStarted()
      try run(Session(communicator: ranks, watchdog: watchdog))
      watchdog?.stop()
      Session.finish(ranks)
    } catch {
      watchdog?.stop()
      Failure.end(error, on: communicator)
    }
  }
}

/// A command of one process, whatever starts it.
protocol LoneCommand: ParsableCommand {
  func work() throws
}

extension LoneCommand {
  func run() throws {
    do { try work() } catch { Failure.end(error, on: nil) }
  }
}
