import Collectives
import Testing

/// What every `Communicator` must do; each check runs on all ranks of one group.
enum Conformance {
  static func check(_ group: any Communicator) throws {
    try collectives(group)
    try reductions(group)
    try ring(group)
    try orderedMessages(group)
    try agreement(group)
    try nodeMemory(group)
  }

  /// One rank of a node fills what all see; pieces taken one after the other lie apart.
  static func nodeMemory(_ group: any Communicator) throws {
    let sizes = [8 << 20, 4096, 24]
    let pieces = try sizes.map { try group.nodeMemory(bytes: $0) }
    for (number, piece) in pieces.enumerated() {
      let words = piece.pointer.bindMemory(to: Int.self, capacity: piece.bytes / 8)
      #expect(Int(bitPattern: words) % 64 == 0 && piece.bytes == sizes[number])
      if piece.isFiller {
        #expect((0..<piece.bytes / 8).allSatisfy { words[$0] == 0 })
        for i in 0..<piece.bytes / 8 { words[i] = i ^ number }
      }
      try piece.publish()
      let isThere = (0..<piece.bytes / 8).allSatisfy { words[$0] == $0 ^ number }
      #expect(isThere, "piece \(number) on rank \(group.rank)")
      let fillers = try group.allReduce(piece.isFiller ? 1 : 0, by: .sum)
      #expect(fillers == (piece.isShared ? group.size / group.localSize : group.size))
    }
    try group.barrier()
  }

  static func collectives(_ group: any Communicator) throws {
    try group.barrier()
    for root in [0, group.size - 1] {
      #expect(try group.broadcast("from \(group.rank)", from: root) == "from \(root)")
      #expect(try group.broadcast(group.rank == root ? "" : "x", from: root) == "")
    }
    let mine = [UInt8](repeating: UInt8(group.rank), count: group.rank * 3)
    let all = try mine.withUnsafeBytes { try group.allGather($0) }
    #expect(all == (0..<group.size).map { [UInt8](repeating: UInt8($0), count: $0 * 3) })
    let gathered = try mine.withUnsafeBytes { try group.gather($0, to: group.size - 1) }
    #expect(gathered == (group.rank == group.size - 1 ? all : []))

    var raw = [UInt8](repeating: 255, count: all.joined().count)
    try raw.withUnsafeMutableBytes { raw in
      try mine.withUnsafeBytes { try group.allGather($0, into: raw, counts: all.map(\.count)) }
    }
    #expect(raw == Array(all.joined()))
    let large = [UInt8](repeating: UInt8(group.rank), count: 150_000)
    let joined = try large.withUnsafeBytes { try group.allGather($0) }
    #expect(joined == (0..<group.size).map { [UInt8](repeating: UInt8($0), count: 150_000) })
    #expect((0..<group.localSize).contains(group.localRank))
  }

  static func reductions(_ group: any Communicator) throws {
    let values = [group.rank, -group.rank, 7]
    let top = group.size - 1
    #expect(try group.allReduce(values, by: .maximum) == [top, 0, 7])
    #expect(try group.allReduce(values, by: .minimum) == [0, -top, 7])
    let sum = top * group.size / 2
    #expect(try group.allReduce(values, by: .sum) == [sum, -sum, 7 * group.size])
    #expect(try group.allReduce(group.rank, by: .sum) == sum)
    var floats = [Float](repeating: Float(group.rank), count: 1000)
    try floats.withUnsafeMutableBufferPointer { try group.allReduceSum($0) }
    #expect(floats == [Float](repeating: Float(sum), count: 1000))
  }

  /// Everybody sends to the right and receives from the left, large enough for a rendezvous.
  static func ring(_ group: any Communicator) throws {
    let right = (group.rank + 1) % group.size
    let left = (group.rank + group.size - 1) % group.size
    let count = 300_001
    let sent = [UInt8](repeating: UInt8(group.rank + 1), count: count)
    var received = [UInt8](repeating: 0, count: count)
    try received.withUnsafeMutableBytes { incoming in
      try sent.withUnsafeBytes { outgoing in
        let transfers = [
          try group.startReceive(incoming, from: left, tag: 5),
          try group.startSend(outgoing, to: right, tag: 5),
        ]
        try group.poll()
        try group.wait(transfers)
      }
    }
    #expect(received == [UInt8](repeating: UInt8(left + 1), count: count))
  }

  /// Messages under one tag keep their order, those under another do not matter; also empty ones.
  static func orderedMessages(_ group: any Communicator) throws {
    let peer = group.size - 1 - group.rank
    let sent: [[UInt8]] = [[1], [2, 2], [], [3]]
    let tags = [9, 9, 9, 8]
    var received = sent.map { [UInt8](repeating: 0, count: $0.count) }
    let memory = received.map { _ in
      UnsafeMutableRawBufferPointer.allocate(byteCount: 2, alignment: 1)
    }
    let outgoing = sent.map { bytes in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 2, alignment: 1)
      copy.copyBytes(from: bytes)
      return copy
    }
    defer { (memory + outgoing).forEach { $0.deallocate() } }
    var transfers: [Transfer] = []
    for i in [3, 0, 1, 2] {
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[i].prefix(sent[i].count))
      transfers.append(try group.startReceive(part, from: peer, tag: tags[i]))
    }
    for i in 0..<4 {
      let part = UnsafeRawBufferPointer(rebasing: outgoing[i].prefix(sent[i].count))
      transfers.append(try group.startSend(part, to: peer, tag: tags[i]))
    }
    let first = transfers.removeFirst()
    while try !group.isComplete(first) { try group.poll() }
    try group.wait(transfers)
    for i in 0..<4 { received[i] = Array(memory[i].prefix(sent[i].count)) }
    #expect(received == sent)
  }

  static func agreement(_ group: any Communicator) throws {
    try Agreement.check([("binary", "1.0"), ("virtualShards", "32")], on: group)
    guard group.size > 1 else { return }
    let kernel = group.rank == 1 ? "Haswell" : "Cooperlake"
    let error = #expect(throws: CollectiveError.self) {
      try Agreement.check([("binary", "1.0"), ("blasKernel", kernel)], on: group)
    }
    #expect(error?.problem.contains("blasKernel: Cooperlake on rank") == true)
    #expect(error?.problem.contains("Haswell on rank 1") == true)
    #expect(error?.problem.contains("binary") == false)
  }
}
