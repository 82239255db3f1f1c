/// A group of ranks that exchange bytes. Counts are in bytes; every call is made by all ranks in
/// the same order unless it says otherwise.
public protocol Communicator: AnyObject {
  var rank: Int { get }
  var size: Int { get }

  func barrier() throws
  /// Copies rank `root`'s bytes to all.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws
  /// Concatenates what every rank contributes, in rank order; contributions may differ in length.
  func allGather(_ bytes: UnsafeRawBufferPointer) throws -> [[UInt8]]

  /// Starts a point-to-point transfer; the memory must stay until `wait`.
  func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> Transfer
  func startReceive(_ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int) throws
    -> Transfer
  func wait(_ transfers: [Transfer]) throws
  /// Lets pending transfers progress; cheap enough to call between two matrix products.
  func poll() throws

  /// Ends the whole job with this exit code, from any rank, at any time.
  func abort(exitCode: Int32) -> Never
}

/// A transfer under way; made and understood by one communicator.
public struct Transfer {
  package let identifier: Int
  package init(identifier: Int) { self.identifier = identifier }
}
