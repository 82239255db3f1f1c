import COpenMPI

extension MPICommunicator {
  public func barrier() throws { try check(MPI_Barrier(cmpi_comm_world()), "barrier") }

  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws {
    for piece in pieces(of: bytes.count) {
      try check(
        MPI_Bcast(
          bytes.baseAddress! + piece.lowerBound, Int32(piece.count), cmpi_byte(), Int32(root),
          cmpi_comm_world()), "broadcast", peer: root)
    }
  }

  public func allGather(_ bytes: UnsafeRawBufferPointer) throws -> [[UInt8]] {
    let counts = try lengths(bytes.count)
    let all = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, counts.reduce(0, +)), alignment: 64)
    defer { all.deallocate() }
    try allGather(bytes, into: all, counts: counts)
    var start = 0
    return counts.map { count in
      defer { start += count }
      return Array(all[start..<start + count])
    }
  }

  public func allGather(
    _ bytes: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer, counts: [Int]
  ) throws {
    precondition(counts.count == size && counts[rank] == bytes.count, "counts \(counts)")
    let total = counts.reduce(0, +)
    precondition(total <= result.count, "\(total) bytes into \(result.count)")
    if total >= 2 * pieceBytes { return try exchangeLong(bytes, result, counts) }
    let starts = Self.starts(counts)
    try check(
      MPI_Allgatherv(
        bytes.baseAddress, Int32(bytes.count), cmpi_byte(), result.baseAddress,
        counts.map { Int32($0) }, starts.map { Int32($0) }, cmpi_byte(), cmpi_comm_world()),
      "all-gather")
  }

  public func gather(_ bytes: UnsafeRawBufferPointer, to root: Int) throws -> [[UInt8]] {
    let counts = try lengths(bytes.count)
    if rank != root {
      try wait([try startSend(bytes, to: root, tag: Self.gatherTag)])
      return []
    }
    return try counts.enumerated().map { source, count in
      if source == rank { return Array(bytes) }
      var part = [UInt8](repeating: 0, count: count)
      try part.withUnsafeMutableBytes {
        try wait([try startReceive($0, from: source, tag: Self.gatherTag)])
      }
      return part
    }
  }

  public func allReduce(_ values: [Int], by combination: Combination) throws -> [Int] {
    let operation =
      switch combination {
      case .sum: cmpi_sum()
      case .maximum: cmpi_max()
      case .minimum: cmpi_min()
      }
    var result = values
    try check(
      cmpi_allreduce_in_place(
        &result, Int32(values.count), cmpi_int64(), operation, cmpi_comm_world()), "all-reduce")
    return result
  }

  public func allReduceSum(_ floats: UnsafeMutableBufferPointer<Float>) throws {
    guard let base = floats.baseAddress else { return }
    for piece in pieces(of: floats.count) {
      try check(
        cmpi_allreduce_in_place(
          base + piece.lowerBound, Int32(piece.count), cmpi_float(), cmpi_sum(), cmpi_comm_world()),
        "all-reduce")
    }
  }

  /// Above the tags of the reducer, whose messages may be under way at the same time.
  private static var gatherTag: Int { 32_766 }
  private static var longTag: Int { 32_765 }

  private func lengths(_ mine: Int) throws -> [Int] {
    var mine = mine
    var all = [Int](repeating: 0, count: size)
    let bytes = Int32(MemoryLayout<Int>.size)
    try check(
      MPI_Allgather(&mine, bytes, cmpi_byte(), &all, bytes, cmpi_byte(), cmpi_comm_world()),
      "all-gather")
    return all
  }

  /// `MPI_Allgatherv` counts in C `int`s; beyond 2 GiB each rank sends its part to each other.
  private func exchangeLong(
    _ bytes: UnsafeRawBufferPointer, _ result: UnsafeMutableRawBufferPointer, _ counts: [Int]
  ) throws {
    let starts = Self.starts(counts)
    var transfers: [Transfer] = []
    for peer in 0..<size {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: result[starts[peer]..<starts[peer] + counts[peer]])
      if peer == rank {
        if bytes.count > 0 { part.copyMemory(from: bytes) }
      } else {
        transfers.append(try startReceive(part, from: peer, tag: Self.longTag))
        transfers.append(try startSend(bytes, to: peer, tag: Self.longTag))
      }
    }
    try wait(transfers)
  }

  private static func starts(_ counts: [Int]) -> [Int] {
    var end = 0
    return counts.map { count in
      defer { end += count }
      return end
    }
  }
}
