import Synchronization

/// Weights laid out for tiles, kept for as long as somebody vouches that no weight changes: an attack
/// asks the same weights for a dozen passes.
final class WeightPanels: Sendable {
  struct Key: Hashable, Sendable {
    let address: UInt
    let rows: Int
    let columns: Int
    let transposed: Bool
  }

  private struct State {
    var holds = 0
    var panels: [Key: Buffer] = [:]
  }

  private let state = Mutex(State())

  /// The panels of a weight, made by `make` if they are not there; nil while nobody vouches.
  /// - Returns: a pointer that is valid while somebody does.
  func panels(
    _ key: Key, count: Int, from pool: BufferPool, make: (UnsafeMutablePointer<Float>) -> Void
  ) -> UnsafePointer<Float>? {
    let (isHeld, found) = state.withLock { ($0.holds > 0, $0.panels[key]) }
    guard isHeld else { return nil }
    if let found { return UnsafePointer(found.pointer) }
    let made = pool.take(count)
    make(made.pointer)
    // Another thread may have made the same meanwhile, and others use that already.
    return state.withLock { state in
      let kept = state.panels[key] ?? made
      state.panels[key] = kept
      return UnsafePointer(kept.pointer)
    }
  }

  fileprivate func add(_ count: Int) {
    // Buffers go back to their pool, which has a lock of its own, after this one is left.
    let gone = state.withLock { state -> [Key: Buffer] in
      state.holds += count
      guard state.holds == 0 else { return [:] }
      defer { state.panels = [:] }
      return state.panels
    }
    withExtendedLifetime(gone) {}
  }
}

/// While one of these is alive, no weight that products have seen changes.
public final class WeightHold: Sendable {
  private let panels: WeightPanels

  init(_ panels: WeightPanels) {
    self.panels = panels
    panels.add(1)
  }

  deinit { panels.add(-1) }
}
