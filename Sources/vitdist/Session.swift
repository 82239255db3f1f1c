import ArgumentParser
import Collectives
import Glibc

/// A command's connection to the ranks of its job and to the person in front of it.
struct Session {
  let communicator: any Communicator

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
}

extension RankedCommand {
  func run() throws {
    var communicator: (any Communicator)?
    do {
      let ranks = try Launch().communicator()
      communicator = ranks
      try run(Session(communicator: ranks))
      Session.finish(ranks)
    } catch {
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
