import Glibc
import Synchronization

/// A request by signal to stop: the handler only counts, and the ranks agree on a step.
///
/// The first SIGUSR1, SIGUSR2, SIGTERM or SIGINT asks. A second SIGTERM or SIGINT ends the process at
/// once, unless it comes from the launcher: mpirun passes on what a batch system may have sent to every
/// process already. The counts are the one piece of state of the program that is not an argument: a
/// signal handler has none.
public enum StopRequest {
  private static let requests = Atomic<Int>(0)
  /// SIGTERM and SIGINT, of whoever is not the launcher.
  private static let orders = Atomic<Int>(0)

  /// Also lets these signals through: whoever started the program may have left them blocked.
  public static func install() {
    let numbers = [SIGUSR1, SIGUSR2, SIGTERM, SIGINT]
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in numbers { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    var action = sigaction()
    action.sa_flags = SA_SIGINFO | SA_RESTART
    action.__sigaction_handler.sa_sigaction = { number, information, _ in
      StopRequest.requests.add(1, ordering: .relaxed)
      guard number == SIGTERM || number == SIGINT else { return }
      let sender = information?.pointee._sifields._kill.si_pid ?? 0
      if sender == getppid(), StopRequest.requests.load(ordering: .relaxed) > 1 { return }
      if StopRequest.orders.add(1, ordering: .relaxed).newValue == 2 {
        signal(number, SIG_DFL)
        raise(number)
      }
    }
    for number in numbers { sigaction(number, &action, nil) }
  }

  public static var isRaised: Bool { requests.load(ordering: .relaxed) > 0 }
}
