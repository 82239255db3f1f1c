import Glibc

/// What the threads of a team share: the round of work that is under way, behind one lock. Members
/// sleep until a round begins, the caller until the last piece is done.
final class TeamRounds: @unchecked Sendable {
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let begun = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var number = 0
  private var body: ((Int) throws -> Void)?
  private var pieces = 0
  /// Pieces of the members that are not done.
  private var open = 0
  private var failure: (piece: Int, error: any Error)?
  private var isOver = false

  init() {
    pthread_mutex_init(lock, nil)
    pthread_cond_init(begun, nil)
    pthread_cond_init(done, nil)
  }

  deinit {
    pthread_cond_destroy(begun)
    pthread_cond_destroy(done)
    pthread_mutex_destroy(lock)
    lock.deallocate()
    begun.deallocate()
    done.deallocate()
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }

  /// Starts pieces 1 up to `pieces` on the members.
  func begin(_ pieces: Int, _ body: @escaping (Int) throws -> Void) {
    locked {
      precondition(open == 0, "a round began within another")
      number += 1
      (self.body, self.pieces, open, failure) = (body, pieces, pieces - 1, nil)
      pthread_cond_broadcast(begun)
    }
  }

  /// Returns when the members have done their pieces, with the first's error if any has failed.
  func waitForOthers() -> (any Error)? {
    locked {
      while open > 0 { pthread_cond_wait(done, lock) }
      body = nil
      return failure?.error
    }
  }

  /// No round follows.
  func end() {
    locked {
      isOver = true
      pthread_cond_broadcast(begun)
    }
  }

  /// The life of a member.
  func serve(_ member: Int) {
    var served = 0
    while let body = next(member, &served) {
      let result = Result { try body(member) }
      locked {
        if case .failure(let error) = result, member < failure?.piece ?? .max {
          failure = (member, error)
        }
        open -= 1
        if open == 0 { pthread_cond_signal(done) }
      }
    }
  }

  /// The work of the next round that has a piece for the member; nil when no round follows.
  private func next(_ member: Int, _ served: inout Int) -> ((Int) throws -> Void)? {
    locked {
      while true {
        if isOver { return nil }
        if number > served {
          served = number
          if member < pieces { return body }
        }
        pthread_cond_wait(begun, lock)
      }
    }
  }
}
