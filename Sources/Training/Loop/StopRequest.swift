import Glibc
import Synchronization

/// A request by signal to stop: the handler only raises a flag, and the ranks agree on a step.
///
/// The first SIGUSR1, SIGUSR2, SIGTERM or SIGINT asks; a second SIGINT or SIGTERM ends the process at
/// once, since handlers are given back after the first. The flag is the one piece of state of the
/// program that is not an argument: a signal handler has none.
public enum StopRequest {
  private static let flag = Atomic<Bool>(false)

  public static func install() {
    for number in [SIGUSR1, SIGUSR2, SIGTERM, SIGINT] {
      signal(number) { number in
        StopRequest.flag.store(true, ordering: .relaxed)
        if number == SIGINT || number == SIGTERM { signal(number, SIG_DFL) }
      }
    }
  }

  public static var isRaised: Bool { flag.load(ordering: .relaxed) }
}
