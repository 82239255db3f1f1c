import Archives
import Collectives

extension CheckpointStore {
  /// A checkpoint that has become durable.
  public struct Committed: Sendable {
    public let manifest: CheckpointManifest
    /// What the slowest rank took for its file and rank 0 for the rest.
    public let seconds: Double
    public var step: Int { manifest.step }
  }

  /// A save between its copy and its commit.
  struct Pending {
    enum Phase {
      case writing
      case committing([SaveWork.Shard])
    }

    let work: SaveWork
    let isInBackground: Bool
    var phase = Phase.writing
  }

  /// Writes and commits a checkpoint; durable when it returns. The protocol:
  ///
  /// 1. Rank 0 checks the free space. Every rank creates `step_XXXXXXXX.tmp` if it is not there, writes
  ///    its shard file, syncs it and the folder, reads it again, and tells size and checksum.
  /// 2. Rank 0 writes `manifest.json`, syncs it and the folder: all files are durable now.
  /// 3. Rank 0 renames the folder to `step_XXXXXXXX` and syncs the parent: it exists now.
  /// 4. Rank 0 deletes what the retention options do not keep.
  ///
  /// If a rank fails, all throw its error, and nothing that was committed has changed.
  @discardableResult
  public func save(_ content: CheckpointContent) throws -> CheckpointManifest {
    try drain()
    start(content, inBackground: false)
    while true {
      if let committed = try advance() { return committed.manifest }
    }
  }

  /// Copies the slabs and returns; the rest is done by another thread and by `advance`, in the same
  /// steps and to the same bytes as by `save`. Waits for the save before, if one is pending.
  ///
  /// Where there is no memory for a copy, or `options.background` is off, it is a `save`.
  public func begin(_ content: CheckpointContent) throws {
    try drain()
    var content = content
    let copy = options.background ? snapshot.copy(content.slabs) : nil
    if let copy { content.slabs = copy }
    // One rank without memory for a copy does not hold up the others' protocol, only their clocks.
    start(content, inBackground: copy != nil)
    if !options.background { try drain() }
  }

  /// Whether a save has begun that is not committed; the same on all ranks.
  public var isPending: Bool { pending != nil }

  /// Whether this rank still works on the pending save.
  public var isBusy: Bool { worker.isBusy }

  /// Takes the pending save a step further. All ranks call it at the same time, best when none of
  /// them is busy: otherwise it waits until none is.
  ///
  /// - Returns: the checkpoint, when it is committed; nil if that needs another call.
  @discardableResult
  public func advance() throws -> Committed? {
    guard let now = pending else { return nil }
    do {
      switch now.phase {
      case .writing:
        let shards = try communicator.told(byAll: try worker.outcome()).map { SaveWork.Shard($0) }
        pending?.phase = .committing(shards)
        if communicator.isRoot {
          worker.start(inBackground: now.isInBackground) {
            let start = ContinuousClock.now
            return try Outcome {
              let warning = try now.work.commit(shards)
              return "\((ContinuousClock.now - start).inSeconds) " + warning
            }
          }
        }
        return nil
      case .committing(let shards):
        let mine = communicator.isRoot ? try worker.outcome() : nil
        let told = try communicator.told(byRoot: mine).split(separator: " ", maxSplits: 1)
        pending = nil
        warning = told.count > 1 ? String(told[1]) : ""
        let seconds = (shards.map(\.seconds).max() ?? 0) + (Double(told[0]) ?? 0)
        let result = Committed(manifest: now.work.manifest(shards), seconds: seconds)
        committed(result)
        return result
      }
    } catch let error as CheckpointError {
      pending = nil
      // Space matters most when it has run out; the error that was thrown is the one to report.
      _ = try communicator.onRoot {
        try? folder.clear()
        return ""
      }
      throw error
    }
  }

  /// Waits until the pending save is committed, if there is one. All ranks call it.
  public func drain() throws {
    while isPending { try advance() }
  }

  private func start(_ content: CheckpointContent, inBackground: Bool) {
    let work = SaveWork(
      content: content, folder: folder, lock: lock, rank: communicator.rank,
      ranks: communicator.size, freeBytes: freeBytes)
    pending = Pending(work: work, isInBackground: inBackground)
    worker.start(inBackground: inBackground) { try Outcome { try work.writeShard().text } }
  }
}
