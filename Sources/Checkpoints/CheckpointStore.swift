import Archives
import Autograd
import Collectives
import Foundation

/// The checkpoints of one run in one folder. All ranks make every call; all get the same result or
/// throw the same `CheckpointError`.
///
/// Promise: a checkpoint that `save` returned from is found again after any crash, and one that is
/// damaged or half written is never loaded. See `save` for the protocol.
///
/// Only the thread that made the store calls it; a save in the background writes from another, which
/// never talks to the communicator.
public final class CheckpointStore {
  public enum Access: Sendable {
    /// Creates the folder, takes its lock and clears what crashes have left.
    case writing
    case reading
  }

  public let directory: String
  /// Damaged checkpoints that the last `newest` has passed over.
  public private(set) var skipped: [CheckpointError] = []
  /// Why the last save could not delete what retention does not keep; empty if it could.
  public internal(set) var warning = ""
  /// Called on all ranks for each checkpoint when it is durable.
  public var committed: (Committed) -> Void = { _ in }

  let communicator: any Communicator
  let options: CheckpointOptions
  let lock: FolderLock?
  let worker = Worker()
  let snapshot = Snapshot()
  var folder: CheckpointFolder
  var pending: Pending?

  /// Through which this rank's saves write from now on.
  package var storage: Storage {
    get { folder.storage }
    set { folder.storage = newValue }
  }
  /// Times that memory for copies was taken from the system.
  package var copyAllocations: Int { snapshot.allocations }
  /// Free bytes of the file system of a folder; below 0 where it does not say.
  package var freeBytes: @Sendable (String) -> Int = { (try? FileSystem.freeBytes(at: $0)) ?? -1 }

  /// - Parameter storage: this rank's; with a fault in it in tests.
  public init(
    _ directory: String, communicator: any Communicator,
    options: CheckpointOptions = CheckpointOptions(), access: Access = .writing,
    storage: Storage = Storage()
  ) throws {
    self.directory = directory
    self.communicator = communicator
    self.options = options
    let folder = CheckpointFolder(path: directory, options: options, storage: storage)
    self.folder = folder
    var lock: FolderLock?
    if access == .writing {
      _ = try communicator.onRoot {
        try folder.create()
        lock = try FolderLock(directory)
        try folder.clear()
        return ""
      }
    }
    self.lock = lock
  }

  /// The newest checkpoint whose manifest and data verify; nil if there is none. Rank 0 decides.
  public func newest() throws -> CheckpointManifest? {
    skipped = []
    return try CheckpointFinder(communicator: communicator).newest(in: directory) {
      skipped.append($0)
    }
  }

  /// The checkpoint in one folder (of this run or another), or the newest in a folder of several.
  public func open(_ path: String) throws -> CheckpointManifest {
    let finder = CheckpointFinder(communicator: communicator)
    let isOne = try communicator.onRoot {
      FileManager.default.fileExists(atPath: path + "/" + CheckpointManifest.fileName) ? "one" : ""
    }
    if !isOne.isEmpty { return try finder.open(path) }
    skipped = []
    if let found = try finder.newest(in: path, skipped: { skipped.append($0) }) { return found }
    throw skipped.first
      ?? CheckpointError(
        .inputOutput, path: path, "there is no checkpoint here",
        remedy: "Give a folder step_XXXXXXXX, or one that holds such folders")
  }

  /// Fills the given ranges of slabs, each rank its own, from a checkpoint of any number of ranks.
  public func load(_ manifest: CheckpointManifest, into slabs: [CheckpointSlab]) throws {
    _ = try communicator.onAll {
      try CheckpointLoader(manifest: manifest).load(slabs)
      return ""
    }
  }
}
