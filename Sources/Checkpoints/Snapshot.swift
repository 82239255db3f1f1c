import Foundation
import Glibc

/// A copy of a rank's slices that stays as it is while training changes them. The memory is kept from
/// save to save.
final class Snapshot: @unchecked Sendable {
  private var memory: UnsafeMutablePointer<Float>?
  private var capacity = 0
  /// Times that memory was taken from the system.
  private(set) var allocations = 0

  deinit { free(memory) }

  /// Takes memory for so many elements from the system, all of it now and not at the first copy.
  func reserve(_ count: Int) {
    guard count > capacity else { return }
    free(memory)
    allocations += 1
    let huge = 2 << 20
    let bytes = count * MemoryLayout<Float>.stride
    var raw: UnsafeMutableRawPointer?
    let status = posix_memalign(&raw, bytes >= huge ? huge : 64, bytes)
    guard status == 0, let raw else {
      memory = nil
      capacity = 0
      return
    }
    if bytes >= huge { madvise(raw, bytes, Int32(MADV_HUGEPAGE)) }
    let block = raw.bindMemory(to: Float.self, capacity: count)
    block.initialize(repeating: 0, count: count)
    memory = block
    capacity = count
  }

  /// The slabs with all their elements copied; nil if the system has no memory for it.
  func copy(_ slabs: [CheckpointSlab]) -> [CheckpointSlab]? {
    let count = slabs.reduce(0) { $0 + $1.count }
    reserve(max(1, count))
    guard var place = memory else { return nil }
    return slabs.map { slab in
      let pieces = slab.pieces.map { piece in
        place.update(from: piece.pointer, count: piece.elements.count)
        defer { place += piece.elements.count }
        return CheckpointSlab.Piece(elements: piece.elements, pointer: place)
      }
      return CheckpointSlab(slab, at: pieces)
    }
  }
}
