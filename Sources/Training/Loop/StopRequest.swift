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
    let requests = [SIGUSR1, SIGUSR2, SIGTERM, SIGINT]
    // A parent's thread that blocks signals, as those of a queue do, hands its mask down.
    var set = sigset_t()
    sigemptyset(&set)
    for number in requests { sigaddset(&set, number) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    for number in requests {
      signal(number) { number in
        StopRequest.flag.store(true, ordering: .relaxed)
        if number == SIGINT || number == SIGTERM { signal(number, SIG_DFL) }
      }
    }
  }

  public static var isRaised: Bool { flag.load(ordering: .relaxed) }
}
