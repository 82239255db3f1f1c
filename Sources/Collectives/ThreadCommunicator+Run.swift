import Glibc

extension ThreadCommunicator {
  /// Runs `body` on `ranks` threads and returns what each gave, in rank order.
  ///
  /// If ranks throw, the error of the one that failed first is thrown after all have ended.
  public static func run<Result: Sendable>(
    ranks: Int, _ body: @escaping @Sendable (ThreadCommunicator) throws -> Result
  ) throws -> [Result] {
    precondition(ranks > 0, "\(ranks) ranks")
    let world = ThreadWorld(size: ranks)
    let tasks = (0..<ranks).map { rank in
      RankTask(ThreadCommunicator(rank: rank, world: world), world, body)
    }
    let threads = tasks.map { task in start { task.run() } }
    for thread in threads { pthread_join(thread, nil) }
    let causes = tasks.compactMap { $0.error }
    // Ranks that merely heard of another's failure point at it; the cause is the one that does not.
    if let cause = causes.first(where: { !(($0 as? CollectiveError).map(Self.isEcho) ?? false) }) {
      throw cause
    }
    if let echo = causes.first { throw echo }
    return tasks.compactMap { $0.result }
  }

  private static func isEcho(_ error: CollectiveError) -> Bool {
    error.remedy == "See the message of that rank"
  }

  private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    // The default of a secondary thread is what `ulimit -s` says, which may be little.
    pthread_attr_setstacksize(&attributes, 64 << 20)
    defer { pthread_attr_destroy(&attributes) }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(ThreadBody(body))
    let status = pthread_create(
      &thread, &attributes,
      { pointer in
        Unmanaged<ThreadBody>.fromOpaque(pointer!).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    precondition(status == 0, "cannot start a thread: \(String(cString: strerror(status)))")
    return thread
  }
}

/// A closure on the heap, to pass through a C pointer.
private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// One rank's work and its outcome; written by its thread, read after the join.
private final class RankTask<Result: Sendable>: @unchecked Sendable {
  private let communicator: ThreadCommunicator
  private let world: ThreadWorld
  private let body: @Sendable (ThreadCommunicator) throws -> Result
  private(set) var result: Result?
  private(set) var error: (any Error)?

  init(
    _ communicator: ThreadCommunicator, _ world: ThreadWorld,
    _ body: @escaping @Sendable (ThreadCommunicator) throws -> Result
  ) {
    self.communicator = communicator
    self.world = world
    self.body = body
  }

  func run() {
    do {
      result = try body(communicator)
    } catch {
      self.error = error
      world.fail(rank: communicator.rank, "failed: \(error)")
    }
  }
}
