import Glibc
import Synchronization

/// A request by signal to stop: the handler only raises a flag, and the ranks agree on a step.
///
/// The first SIGUSR1, SIGUSR2, SIGTERM or SIGINT asks; a second SIGINT or SIGTERM ends the process at
/// once, since handlers are given back after the first. The flag is the one piece of state of the
/// program that is not an argument: a signal handler has none.
public enum StopRequest {
  private static let flag = Atomic<Bool>(false)

  /// Also lets these signals through: whoever started the program may have left them blocked.
  public static func install() {
    let numbers = [SIGUSR1, SIGUSR2, SIGTERM, SIGINT]
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in numbers { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    for number in numbers {
      signal(number) { number in
        StopRequest.flag.store(true, ordering: .relaxed)
        if number == SIGINT || number == SIGTERM { signal(number, SIG_DFL) }
      }
    }
  }

  public static var isRaised: Bool { flag.load(ordering: .relaxed) }
}
