/// One half of a transfer inside a process: memory to copy from or to.
struct Parcel {
  struct Route: Hashable {
    let source: Int
    let destination: Int
    let tag: Int
  }

  let route: Route
  let outgoing: UnsafeRawBufferPointer?
  let incoming: UnsafeMutableRawBufferPointer?

  init(sending bytes: UnsafeRawBufferPointer, from source: Int, to destination: Int, tag: Int) {
    route = Route(source: source, destination: destination, tag: tag)
    outgoing = bytes
    incoming = nil
  }

  init(
    receiving bytes: UnsafeMutableRawBufferPointer, from source: Int, to destination: Int, tag: Int
  ) {
    route = Route(source: source, destination: destination, tag: tag)
    outgoing = nil
    incoming = bytes
  }
}

/// The transfers of one process: matches sends with receives in order and copies the bytes.
struct Parcels {
  private var waiting: [Parcel.Route: [(identifier: Int, parcel: Parcel)]] = [:]
  private var complete: Set<Int> = []
  private var last = 0

  /// Registers one half; copies at once if the other half is there. Returns its identifier.
  mutating func add(_ parcel: Parcel) throws -> Int {
    last += 1
    let isSend = parcel.outgoing != nil
    guard let other = waiting[parcel.route]?.first,
      (other.parcel.outgoing != nil) != isSend
    else {
      waiting[parcel.route, default: []].append((last, parcel))
      return last
    }
    waiting[parcel.route]!.removeFirst()
    let source = parcel.outgoing ?? other.parcel.outgoing!
    let target = parcel.incoming ?? other.parcel.incoming!
    guard source.count == target.count else {
      let route = parcel.route
      throw CollectiveError(
        isSend ? "send" : "receive", rank: isSend ? route.source : route.destination,
        peer: isSend ? route.destination : route.source,
        "\(source.count) bytes sent, \(target.count) expected under tag \(route.tag)",
        remedy: "Report this: the two ranks disagree on the plan")
    }
    if source.count > 0 { target.copyMemory(from: source) }
    complete.insert(last)
    complete.insert(other.identifier)
    return last
  }

  /// Whether the transfer has ended; forgets it if so.
  mutating func finish(_ identifier: Int) -> Bool { complete.remove(identifier) != nil }
}
