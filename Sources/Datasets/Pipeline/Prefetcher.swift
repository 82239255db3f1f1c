import Tensors

/// Works ahead of the training loop: threads make the batches of a sequence of requests, at most
/// `depth` before the one that is asked for, and `next` hands them out strictly in order.
///
/// What a batch holds does not depend on the threads. With no threads, or where the system grants
/// none, `next` makes the batches itself.
public final class Prefetcher<Producer: BatchProducer> {
  private let producer: Producer
  private let pool: BufferPool
  private let monitor: Monitor<State>
  private var threads: [LoaderThread] = []
  private var ownWorkspace: LoaderWorkspace?
  /// Seconds spent in `next` so far: how long the loop has waited for its data.
  public private(set) var secondsWaited = 0.0

  /// - Parameters:
  ///   - requests: finite or endless, taken one by one as the work proceeds.
  ///   - depth: batches held ready at most, including those being made.
  public init(
    _ producer: Producer, _ requests: some Sequence<Producer.Request>, threads: Int = 1,
    depth: Int = 8, pool: BufferPool
  ) {
    precondition(threads >= 0 && depth > 0, "\(threads) threads, depth \(depth)")
    (self.producer, self.pool) = (producer, pool)
    monitor = Monitor(State(requests: AnyIterator(requests.makeIterator()), depth: depth))
    for _ in 0..<threads {
      let thread = LoaderThread { [producer, pool, monitor] in
        Self.run(producer, pool, monitor)
      }
      guard let thread else { break }
      self.threads.append(thread)
    }
    ownWorkspace = self.threads.isEmpty ? LoaderWorkspace() : nil
  }

  deinit { cancel() }

  /// The next batch, or nil after the last.
  ///
  /// - Throws: what its making threw, when its turn comes; the prefetcher then has ended.
  public func next() throws -> Batch? {
    let start = ContinuousClock.now
    defer { secondsWaited += (ContinuousClock.now - start).seconds }
    let result = ownWorkspace.map(makeNext) ?? monitor.wait { $0.deliver() }
    if case .failure = result { cancel() }
    return try result?.get()
  }

  /// Stops the threads and waits for their end; batches being made are finished and dropped.
  public func cancel() {
    monitor.update { $0.end() }
    for thread in threads { thread.join() }
    threads = []
  }

  private func makeNext(_ workspace: LoaderWorkspace) -> Result<Batch, any Error>? {
    guard case .make(let request, _) = monitor.wait({ $0.claim() }) else { return nil }
    monitor.update { $0.delivered += 1 }
    return Result { try producer.batch(request, using: workspace, from: pool) }
  }

  private static func run(_ producer: Producer, _ pool: BufferPool, _ monitor: Monitor<State>) {
    let workspace = LoaderWorkspace()
    while case .make(let request, let place) = monitor.wait({ $0.claim() }) {
      let result = Result { try producer.batch(request, using: workspace, from: pool) }
      monitor.update { $0.ready[place] = result }
    }
  }

  private struct State {
    enum Claim {
      case make(Producer.Request, place: Int)
      case stop
    }

    var requests: AnyIterator<Producer.Request>
    let depth: Int
    var claimed = 0
    var delivered = 0
    /// Batch number i waits in place i modulo depth.
    var ready: [Result<Batch, any Error>?]
    private var isExhausted = false
    private var isCancelled = false

    init(requests: AnyIterator<Producer.Request>, depth: Int) {
      (self.requests, self.depth) = (requests, depth)
      ready = Array(repeating: nil, count: depth)
    }

    /// Work for a loader; nil as long as it is far enough ahead.
    mutating func claim() -> Claim? {
      if isExhausted { return .stop }
      guard claimed < delivered + depth else { return nil }
      guard let request = requests.next() else {
        isExhausted = true
        return .stop
      }
      claimed += 1
      return .make(request, place: (claimed - 1) % depth)
    }

    /// The batch whose turn it is; nil as long as it is being made; `.some(nil)` after the last.
    mutating func deliver() -> Result<Batch, any Error>?? {
      if isCancelled { return .some(nil) }
      let place = delivered % depth
      if let result = ready[place] {
        ready[place] = nil
        delivered += 1
        return .some(result)
      }
      return isExhausted && delivered == claimed ? .some(nil) : nil
    }

    mutating func end() {
      (isExhausted, isCancelled) = (true, true)
      ready = Array(repeating: nil, count: depth)
    }
  }
}

extension Duration {
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
