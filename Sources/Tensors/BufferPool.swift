import Glibc
import Synchronization

/// Memory for tensors: 64-byte aligned blocks in size classes, kept and handed out again.
///
/// A training step asks for the same sizes every time, so after the first step nothing is
/// allocated; `Statistics.allocations` is the proof. Safe to use from several threads.
public final class BufferPool: Sendable {
  public struct Statistics: Sendable {
    /// Blocks taken from the operating system since the pool was made.
    public var allocations = 0
    public var bytesAllocated = 0
    public var bytesInUse = 0
    public var peakBytesInUse = 0
  }

  private struct State: ~Copyable {
    var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
    var statistics = Statistics()
  }

  private let state = Mutex(State())
  private let poisonsReturned: Bool

  /// - Parameter poisonsReturned: overwrite blocks with NaN when they come back, so that a test of
  ///   whoever uses the pool sees a read after the release.
  public init(poisonsReturned: Bool = false) { self.poisonsReturned = poisonsReturned }

  public var statistics: Statistics { state.withLock { $0.statistics } }

  /// A block of at least `count` floats with undefined contents; it returns when released.
  public func take(_ count: Int) -> Buffer {
    let capacity = Self.sizeClass(count)
    let pointer = state.withLock { state in
      let bytes = capacity * MemoryLayout<Float>.stride
      state.statistics.bytesInUse += bytes
      state.statistics.peakBytesInUse = max(
        state.statistics.peakBytesInUse, state.statistics.bytesInUse)
      if let kept = state.free[capacity]?.popLast() { return Block(kept) }
      state.statistics.allocations += 1
      state.statistics.bytesAllocated += bytes
      return Block(Self.allocate(capacity))
    }.pointer
    return Buffer(pointer: pointer, capacity: capacity, pool: self)
  }

  /// Lends a block of at least `count` floats with undefined contents for as long as `body` runs.
  @inline(__always)
  func withScratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
    let block = take(count)
    // Or the block might go back, and to another thread, when its address has been read.
    return withExtendedLifetime(block) { body(block.pointer) }
  }

  func giveBack(_ pointer: UnsafeMutablePointer<Float>, capacity: Int) {
    if poisonsReturned { pointer.update(repeating: .nan, count: capacity) }
    let block = Block(pointer)
    state.withLock { state in
      state.statistics.bytesInUse -= capacity * MemoryLayout<Float>.stride
      state.free[capacity, default: []].append(block.pointer)
    }
  }

  deinit {
    state.withLock { state in
      for blocks in state.free.values { for block in blocks { free(block) } }
      state.free = [:]
    }
  }

  /// Steps of an eighth of a power of two: at most one eighth of a block is slack.
  static func sizeClass(_ count: Int) -> Int {
    let least = max(count, 64)
    let step = max(16, (1 << (Int.bitWidth - 1 - least.leadingZeroBitCount)) >> 3)
    return (least + step - 1) / step * step
  }

  /// Blocks of 2 MiB and more ask for huge pages: fewer misses in the address translation.
  static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = count * MemoryLayout<Float>.stride
    let huge = 2 << 20
    var raw: UnsafeMutableRawPointer?
    let status = posix_memalign(&raw, bytes >= huge ? huge : 64, bytes)
    guard status == 0, let raw else {
      fatalError(
        "out of memory: \(bytes) bytes for a tensor; lower batch.microBatch or use more ranks")
    }
    if bytes >= huge { madvise(raw, bytes, Int32(MADV_HUGEPAGE)) }
    return raw.bindMemory(to: Float.self, capacity: count)
  }
}

/// Carries a pointer across the lock's isolation check; the pool owns what it points to.
private struct Block: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  init(_ pointer: UnsafeMutablePointer<Float>) { self.pointer = pointer }
}

/// One block of a pool; returns to it when the last tensor over it is gone.
public final class Buffer: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  private let capacity: Int
  private let pool: BufferPool?

  fileprivate init(pointer: UnsafeMutablePointer<Float>, capacity: Int, pool: BufferPool) {
    self.pointer = pointer
    self.capacity = capacity
    self.pool = pool
  }

  /// A view of memory that something else owns and keeps alive, e.g. a range of the parameter slab.
  public init(unowned pointer: UnsafeMutablePointer<Float>, count: Int) {
    self.pointer = pointer
    self.capacity = count
    self.pool = nil
  }

  deinit { pool?.giveBack(pointer, capacity: capacity) }
}
