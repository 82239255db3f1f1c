import Glibc

/// What the threads of a `ThreadCommunicator` share, behind one lock.
final class ThreadWorld: @unchecked Sendable {
  let size: Int
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var arrived = 0
  private var generation = 0
  private var shared: [UnsafeRawBufferPointer]
  private var parcels = Parcels()
  private var failure: (rank: Int, problem: String)?

  init(size: Int) {
    self.size = size
    shared = Array(repeating: UnsafeRawBufferPointer(start: nil, count: 0), count: size)
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(lock)
    changed.deallocate()
    lock.deallocate()
  }

  private func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return try body()
  }

  /// Under the lock: sleeps until `condition` holds or a rank has failed.
  private func sleep(_ call: String, rank: Int, until condition: () -> Bool) throws {
    while failure == nil && !condition() { pthread_cond_wait(changed, lock) }
    if let failure {
      throw CollectiveError(
        call, rank: rank, peer: failure.rank, "rank \(failure.rank) \(failure.problem)",
        remedy: "See the message of that rank")
    }
  }

  /// Marks the world as broken, so that nobody waits for this rank; the first failure counts.
  func fail(rank: Int, _ problem: String) {
    locked {
      if failure == nil { failure = (rank, problem) }
      pthread_cond_broadcast(changed)
    }
  }

  func barrier(rank: Int) throws {
    try locked {
      arrived += 1
      if arrived == size {
        arrived = 0
        generation += 1
        pthread_cond_broadcast(changed)
      }
      let mine = arrived == 0 ? generation - 1 : generation
      try sleep("barrier", rank: rank) { generation > mine }
    }
  }

  /// Shows every rank's bytes to every rank while `body` runs.
  func share(
    _ bytes: UnsafeRawBufferPointer, rank: Int, _ body: ([UnsafeRawBufferPointer]) -> Void
  ) throws {
    locked { shared[rank] = bytes }
    try barrier(rank: rank)
    body(locked { shared })
    try barrier(rank: rank)
  }

  func add(_ parcel: Parcel, rank: Int) throws -> Transfer {
    precondition((0..<size).contains(parcel.route.source), "no rank \(parcel.route.source)")
    precondition((0..<size).contains(parcel.route.destination), "no such rank")
    return try locked {
      defer { pthread_cond_broadcast(changed) }
      return Transfer(identifier: try parcels.add(parcel))
    }
  }

  func isComplete(_ transfer: Transfer, rank: Int) throws -> Bool {
    try locked {
      try sleep("test", rank: rank) { true }
      return parcels.finish(transfer.identifier)
    }
  }

  func wait(_ transfers: [Transfer], rank: Int) throws {
    try locked {
      for transfer in transfers {
        try sleep("wait", rank: rank) { parcels.finish(transfer.identifier) }
      }
    }
  }
}
