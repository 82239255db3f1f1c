import Foundation
import Glibc

/// A thread that does one job at a time beside the thread that gives it. Where the system grants no
/// thread, jobs are done at once by the giver.
final class Worker {
  private let desk = Desk()
  private var thread: pthread_t?

  deinit {
    guard let thread else { return }
    desk.change { $0.isClosed = true }
    pthread_join(thread, nil)
  }

  /// Whether a job is under way.
  var isBusy: Bool { desk.read { $0.isBusy } }

  /// Starts a job; none may be under way, and the outcome of the one before must have been taken.
  ///
  /// - Parameter inBackground: otherwise it is done when this returns.
  func start(inBackground: Bool, _ job: @escaping @Sendable () throws -> Outcome) {
    if inBackground && thread == nil { thread = Self.thread(at: desk) }
    desk.change { $0.isBusy = true }
    if inBackground && thread != nil {
      desk.change { $0.job = job }
    } else {
      desk.finish(Result(catching: job))
    }
  }

  /// Waits for the end of the job and takes its outcome.
  func outcome() throws -> Outcome { try desk.takeResult().get() }

  private static func thread(at desk: Desk) -> pthread_t? {
    var thread = pthread_t()
    let pointer = Unmanaged.passRetained(desk)
    let status = pthread_create(
      &thread, nil,
      { pointer in
        let desk = Unmanaged<Desk>.fromOpaque(pointer!).takeRetainedValue()
        var priority = sched_param()
        pthread_setschedparam(pthread_self(), batchPolicy, &priority)
        while let job = desk.nextJob() { desk.finish(Result(catching: job)) }
        return nil
      }, pointer.toOpaque())
    if status == 0 { return thread }
    pointer.release()
    return nil
  }
}

/// SCHED_BATCH of linux/sched.h, which Glibc shows to GNU sources only. A thread that is woken for a
/// job must not push the thread that gave it off the core they share; it need not hurry.
private let batchPolicy: Int32 = 3

/// Where a worker finds its job and leaves the result.
private final class Desk: @unchecked Sendable {
  struct State {
    var job: (@Sendable () throws -> Outcome)?
    var result: Result<Outcome, any Error>?
    var isBusy = false
    var isClosed = false
  }

  private let condition = NSCondition()
  private var state = State()

  func read<Value>(_ body: (State) -> Value) -> Value {
    condition.lock()
    defer { condition.unlock() }
    return body(state)
  }

  func change(_ body: (inout State) -> Void) {
    condition.lock()
    defer { condition.unlock() }
    body(&state)
    condition.broadcast()
  }

  func finish(_ result: Result<Outcome, any Error>) {
    change {
      $0.result = result
      $0.isBusy = false
    }
  }

  /// Nil when there will be no more; a job that was given is done before that.
  func nextJob() -> (@Sendable () throws -> Outcome)? {
    condition.lock()
    defer { condition.unlock() }
    while state.job == nil && !state.isClosed { condition.wait() }
    defer { state.job = nil }
    return state.job
  }

  func takeResult() -> Result<Outcome, any Error> {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let result = state.result {
        state.result = nil
        return result
      }
      precondition(state.isBusy, "the outcome of a job that was never given")
      condition.wait()
    }
  }
}
