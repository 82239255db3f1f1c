import Glibc

/// A group of one: every exchange is with oneself. For programs started without a launcher.
public final class SoloCommunicator: Communicator {
  private var parcels = Parcels()

  public init() {}

  public var rank: Int { 0 }
  public var size: Int { 1 }
  public var localRank: Int { 0 }
  public var localSize: Int { 1 }

  public func barrier() {}
  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {}
  public func allGather(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] { [Array(bytes)] }
  public func gather(_ bytes: UnsafeRawBufferPointer, to root: Int) -> [[UInt8]] { [Array(bytes)] }
  public func allReduce(_ values: [Int], by combination: Combination) -> [Int] { values }
  public func allReduceSum(_ floats: UnsafeMutableBufferPointer<Float>) {}
  public func poll() {}

  public func allGather(
    _ bytes: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer, counts: [Int]
  ) {
    precondition(counts == [bytes.count], "counts \(counts) for \(bytes.count) bytes")
    if bytes.count > 0 { result.copyMemory(from: bytes) }
  }

  public func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> Transfer
  {
    try start(Parcel(sending: bytes, from: 0, to: peer, tag: tag))
  }

  public func startReceive(_ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int) throws
    -> Transfer
  {
    try start(Parcel(receiving: bytes, from: peer, to: 0, tag: tag))
  }

  private func start(_ parcel: Parcel) throws -> Transfer {
    precondition(parcel.route.source == 0 && parcel.route.destination == 0, "no such rank")
    return Transfer(identifier: try parcels.add(parcel))
  }

  public func isComplete(_ transfer: Transfer) -> Bool { parcels.finish(transfer.identifier) }

  public func wait(_ transfers: [Transfer]) throws {
    for transfer in transfers where !parcels.finish(transfer.identifier) {
      throw CollectiveError(
        "wait", rank: 0, peer: 0, "a transfer to oneself has no other side",
        remedy: "Start both the send and the receive before waiting")
    }
  }

  public func abort(exitCode: Int32) -> Never { exit(exitCode) }
}
