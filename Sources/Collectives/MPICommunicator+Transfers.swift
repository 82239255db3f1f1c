import COpenMPI

extension MPICommunicator {
  public func startSend(_ bytes: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws -> Transfer
  {
    try start("send", count: bytes.count, peer: peer) { piece, request in
      MPI_Isend(
        bytes.baseAddress.map { $0 + piece.lowerBound }, Int32(piece.count), cmpi_byte(),
        Int32(peer), Int32(tag), cmpi_comm_world(), &request)
    }
  }

  public func startReceive(_ bytes: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int) throws
    -> Transfer
  {
    try start("receive", count: bytes.count, peer: peer) { piece, request in
      MPI_Irecv(
        bytes.baseAddress.map { $0 + piece.lowerBound }, Int32(piece.count), cmpi_byte(),
        Int32(peer), Int32(tag), cmpi_comm_world(), &request)
    }
  }

  public func isComplete(_ transfer: Transfer) throws -> Bool {
    try requests.isComplete(transfer.identifier) { request, peer, done in
      try check(cmpi_test(&request, &done), "transfer", peer: peer)
    }
  }

  public func wait(_ transfers: [Transfer]) throws {
    for transfer in transfers {
      try requests.wait(transfer.identifier) { request, peer in
        try check(cmpi_wait(&request), "transfer", peer: peer)
      }
    }
  }

  public func poll() throws { try check(cmpi_progress(), "poll") }

  /// One request a piece; an empty message is one empty piece.
  private func start(
    _ call: String, count: Int, peer: Int,
    _ body: (Range<Int>, inout MPI_Request?) -> Int32
  ) throws -> Transfer {
    var first = -1
    var offset = 0
    repeat {
      let piece = offset..<min(count, offset + pieceBytes)
      var request: MPI_Request?
      try check(body(piece, &request), call, peer: peer)
      first = requests.add(request, peer: peer, before: first)
      offset = piece.upperBound
    } while offset < count
    return Transfer(identifier: first)
  }

  /// Ranges of at most `pieceBytes` that cover 0 ..< count; none for 0.
  func pieces(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: pieceBytes).map { $0..<min(count, $0 + pieceBytes) }
  }
}
