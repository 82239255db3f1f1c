import COpenMPI
import Glibc

extension MPICommunicator {
  public func nodeMemory(bytes: Int) throws -> NodeMemory {
    guard localSize > 1, try hasRoom(for: bytes) else {
      return try NodeMemory(own: bytes, rank: rank)
    }
    var base: UnsafeMutableRawPointer?
    var window: MPI_Win?
    let status = cmpi_allocate_shared(
      nodeRanks, localRank == 0 ? bytes + Self.alignment : 0, &base, &window)
    try check(status, "share memory in the node")
    windows.append(window)
    guard let base else { preconditionFailure("a window without memory") }
    // The library's own header lies before it, of the same size on all ranks.
    let pointer = base.alignedUp(toMultipleOf: Self.alignment)
    return NodeMemory(shared: pointer, bytes, isFiller: localRank == 0) { [self] in
      try check(MPI_Win_fence(0, window), "share memory in the node")
      try check(MPI_Barrier(nodeRanks), "share memory in the node")
    }
  }

  private static var alignment: Int { 64 }

  /// Where Open MPI makes the file behind the memory; a container may have given it 64 MB.
  private static var folder: String {
    Launch.environment("OMPI_MCA_osc_sm_backing_directory") ?? "/dev/shm"
  }

  /// Asked first, as a failure inside the library would leave the node's other ranks waiting.
  private func hasRoom(for bytes: Int) throws -> Bool {
    var room: Int32 = 0
    var info = statvfs()
    if localRank == 0, statvfs(Self.folder, &info) == 0 {
      let free = Int(info.f_bavail) * Int(info.f_frsize)
      room = free > bytes + bytes / 8 + 16 << 20 ? 1 : 0
    }
    try check(
      MPI_Bcast(&room, Int32(MemoryLayout<Int32>.size), cmpi_byte(), 0, nodeRanks),
      "share memory in the node")
    return room == 1
  }
}
