/// A group of ranks that exchange bytes. Counts are in bytes; every call is made by all ranks in
/// the same order unless it says otherwise. Failures are `CollectiveError`s.
///
/// One thread of a rank talks to its communicator. Transfers may be under way while other calls
/// are made.
public protocol Communicator: AnyObject {
  var rank: Int { get }
  var size: Int { get }
  /// Position among, and number of, the ranks on the same node.
  var localRank: Int { get }
  var localSize: Int { get }

  func barrier() throws
  /// Copies rank `root`'s bytes to all.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws
  /// Concatenates what every rank contributes, in rank order; contributions may differ in length.
  func allGather(_ bytes: UnsafeRawBufferPointer) throws -> [[UInt8]]
  /// The same into memory that the caller holds: `counts[r]` bytes from rank r, in rank order.
  func allGather(
    _ bytes: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer, counts: [Int]
  ) throws
  /// What every rank contributes, in rank order, on rank `root`; empty elsewhere.
  func gather(_ bytes: UnsafeRawBufferPointer, to root: Int) throws -> [[UInt8]]
  /// Combines `values` element by element over the ranks, on all of them.
  func allReduce(_ values: [Int], by combination: Combination) throws -> [Int]
  /// Adds over the ranks in place, in the library's own order: fast, but the bits depend on the
  /// number of ranks. For comparison only; gradients go through `GradientReducer`.
  func allReduceSum(_ floats: UnsafeMutableBufferPointer<Float>) throws

  /// Starts a point-to-point transfer; the memory must stay until it is complete. Transfers between
  /// the same two ranks under one tag arrive in the order in which they were started. Tags are
  /// below 32767.
  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> Transfer
  func startReceive(_ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int) throws
    -> Transfer
  /// Whether the transfer has ended; after `true` it must not be used again.
  func isComplete(_ transfer: Transfer) throws -> Bool
  func wait(_ transfers: [Transfer]) throws
  /// Lets pending transfers progress; cheap enough to call between two matrix products.
  func poll() throws

  /// Zeroed memory that the ranks of a node have in common where they can. Every rank asks for as much.
  func nodeMemory(bytes: Int) throws -> NodeMemory

  /// Ends the whole job with this exit code, from any rank, at any time.
  func abort(exitCode: Int32) -> Never
}

/// How small integers are combined over ranks.
public enum Combination: Sendable {
  case sum, maximum, minimum
}

/// A transfer under way; made and understood by one communicator.
public struct Transfer {
  package let identifier: Int
  package init(identifier: Int) { self.identifier = identifier }
}

extension Communicator {
  public var isRoot: Bool { rank == 0 }

  public func allReduce(_ value: Int, by combination: Combination) throws -> Int {
    try allReduce([value], by: combination)[0]
  }

  /// Rank `root`'s text on all ranks.
  public func broadcast(_ text: String, from root: Int = 0) throws -> String {
    var bytes = Array(text.utf8)
    var count = bytes.count
    try withUnsafeMutableBytes(of: &count) { try broadcast($0, from: root) }
    if rank != root { bytes = [UInt8](repeating: 0, count: count) }
    try bytes.withUnsafeMutableBytes { try broadcast($0, from: root) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Every rank's text, in rank order, on all ranks.
  public func allGather(_ text: String) throws -> [String] {
    try Array(text.utf8).withUnsafeBytes { try allGather($0) }
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
