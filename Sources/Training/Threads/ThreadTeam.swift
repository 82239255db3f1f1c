import Glibc
import Tensors

/// Threads of one rank that do pieces of work at the same time. They live as long as the team and sleep
/// in between, since ranks may be more than cores.
///
/// No result depends on their number: whoever uses a team cuts the work into pieces that are the same
/// for every size, and puts their results together in a fixed order. Only the caller's thread talks to
/// other ranks.
public final class ThreadTeam {
  /// OpenBLAS keeps a table of the callers' buffers, made when it is built; Debian's has room for 128.
  public static let limit = 64

  /// Memory for the tensors of each member, the caller's first: which block a tensor gets, and whether
  /// there is one, never depends on what the others do.
  public let pools: [BufferPool]
  private let rounds = TeamRounds()
  private let threads: [pthread_t]

  /// - Parameters:
  ///   - size: members, the calling thread included; fewer where the system grants no more.
  ///   - pool: the caller's.
  public init(_ size: Int, pool: BufferPool) {
    precondition((1...Self.limit).contains(size), "a team of \(size) threads")
    var threads: [pthread_t] = []
    for member in 1..<size {
      guard let thread = QuietThread.start({ [rounds] in rounds.serve(member) }) else { break }
      threads.append(thread)
    }
    self.threads = threads
    pools = [pool] + threads.map { _ in BufferPool() }
  }

  deinit {
    rounds.end()
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Members, the caller included.
  public var size: Int { pools.count }

  /// Tensor blocks that all members have taken from the system.
  public var allocations: Int { pools.reduce(0) { $0 + $1.statistics.allocations } }
  /// The bytes of these.
  public var bytesAllocated: Int { pools.reduce(0) { $0 + $1.statistics.bytesAllocated } }

  /// Does pieces 0 up to `pieces`, at most `size` of them, piece i on member i: piece 0 on the calling
  /// thread. Returns when all are done.
  ///
  /// - Throws: what a piece threw, after all have ended; of several the one with the lowest number.
  public func run(_ pieces: Int, _ body: @escaping (_ piece: Int) throws -> Void) throws {
    precondition((1...size).contains(pieces), "\(pieces) pieces for \(size) threads")
    if pieces == 1 { return try body(0) }
    rounds.begin(pieces, body)
    let own = Result { try body(0) }
    let others = rounds.waitForOthers()
    try own.get()
    if let others { throw others }
  }

  /// What `body` makes of each element, in their order; element i on member i.
  public func map<Element, Value>(
    _ elements: [Element],
    _ body: @escaping (_ member: Int, _ element: Element, _ pool: BufferPool) throws -> Value
  ) throws -> [Value] {
    if elements.isEmpty { return [] }
    var values = [Value?](repeating: nil, count: elements.count)
    try values.withUnsafeMutableBufferPointer { buffer in
      let values = buffer
      try run(elements.count) { [pools] piece in
        values[piece] = try body(piece, elements[piece], pools[piece])
      }
    }
    return values.compactMap { $0 }
  }
}
