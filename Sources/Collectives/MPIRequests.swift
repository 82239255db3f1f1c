import COpenMPI

/// MPI requests under way, in slots that are used again: no allocation once the table has grown.
/// A transfer that went in several pieces is a chain of slots.
final class MPIRequests {
  private struct Slot {
    var request: MPI_Request?
    var peer: Int
    /// The next slot of the same transfer; -1 at the end.
    var next: Int
    var isDone: Bool
  }

  private var slots: [Slot] = []
  private var free: [Int] = []

  /// Files a request in front of the chain `next` (-1: none) and returns its slot.
  func add(_ request: MPI_Request?, peer: Int, before next: Int) -> Int {
    let slot = Slot(request: request, peer: peer, next: next, isDone: false)
    if let index = free.popLast() {
      slots[index] = slot
      return index
    }
    slots.append(slot)
    return slots.count - 1
  }

  func wait(_ identifier: Int, _ body: (inout MPI_Request?, Int) throws -> Void) throws {
    var index = identifier
    while index >= 0 {
      if !slots[index].isDone { try body(&slots[index].request, slots[index].peer) }
      index = release(index)
    }
  }

  func isComplete(
    _ identifier: Int, _ body: (inout MPI_Request?, Int, inout Int32) throws -> Void
  ) throws -> Bool {
    var index = identifier
    while index >= 0 {
      if !slots[index].isDone {
        var done: Int32 = 0
        try body(&slots[index].request, slots[index].peer, &done)
        if done == 0 { return false }
        slots[index].isDone = true
      }
      index = slots[index].next
    }
    index = identifier
    while index >= 0 { index = release(index) }
    return true
  }

  private func release(_ index: Int) -> Int {
    free.append(index)
    return slots[index].next
  }
}
