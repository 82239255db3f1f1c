import Glibc

/// Memory with the same contents on all ranks of a node, there once where the ranks can share it: for
/// what is read from files and never written again. One rank of the node fills it, then all read.
public final class NodeMemory: @unchecked Sendable {
  /// First byte, at a multiple of 64.
  public let pointer: UnsafeMutableRawPointer
  public let bytes: Int
  /// Whether this rank is to fill it: every rank where it has memory of its own.
  public let isFiller: Bool
  /// Whether others of the node see the same pages.
  public let isShared: Bool
  private let waitForFiller: () throws -> Void

  /// Zeroed memory of this rank alone.
  init(own bytes: Int, rank: Int) throws {
    self.bytes = bytes
    var raw: UnsafeMutableRawPointer?
    let status = posix_memalign(&raw, 64, max(64, bytes))
    guard status == 0, let raw else {
      throw CollectiveError(
        "share memory in the node", rank: rank, "the system refuses \(bytes) bytes",
        remedy: "Start fewer ranks on this node")
    }
    memset(raw, 0, bytes)
    (pointer, isFiller, isShared) = (raw, true, false)
    waitForFiller = {}
  }

  /// Memory of the node, which outlives this.
  ///
  /// - Parameter waitForFiller: returns on all ranks of the node when all have called it, and what the
  ///   filler wrote is there.
  init(
    shared pointer: UnsafeMutableRawPointer, _ bytes: Int, isFiller: Bool,
    waitForFiller: @escaping () throws -> Void
  ) {
    (self.pointer, self.bytes, self.isFiller) = (pointer, bytes, isFiller)
    isShared = true
    self.waitForFiller = waitForFiller
  }

  deinit { if !isShared { free(pointer) } }

  /// To be called by all ranks once the filler has filled it; only then may anybody read.
  public func publish() throws { try waitForFiller() }
}

extension Communicator {
  /// Ranks that are no processes, or alone, have their own.
  public func nodeMemory(bytes: Int) throws -> NodeMemory {
    try NodeMemory(own: bytes, rank: rank)
  }
}
