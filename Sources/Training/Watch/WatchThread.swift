import Glibc

/// A thread that nobody waits for and that no signal is delivered to.
enum WatchThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Where the system grants no thread the program goes on without.
  static func start(_ body: @escaping @Sendable () -> Void) {
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    // A thread inherits what its starter blocks; signals are for the main thread.
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Body(body))
    let status = pthread_create(
      &thread, nil,
      { pointer in
        Unmanaged<Body>.fromOpaque(pointer!).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    guard status == 0 else { return box.release() }
    pthread_detach(thread)
  }
}
