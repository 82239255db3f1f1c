import Archives
import Autograd
import Collectives
import Foundation

/// The checkpoints of one run in one folder. All ranks make every call; all get the same result or
/// throw the same `CheckpointError`.
///
/// Promise: a checkpoint that `save` returned from is found again after any crash, and one that is
/// damaged or half written is never loaded. See `save` for the protocol.
public final class CheckpointStore {
  public enum Access: Sendable {
    /// Creates the folder, takes its lock and clears what crashes have left.
    case writing
    case reading
  }

  public let directory: String
  /// Damaged checkpoints that the last `newest` has passed over.
  public private(set) var skipped: [CheckpointError] = []
  /// Why the last `save` could not delete what retention does not keep; empty if it could.
  public internal(set) var warning = ""

  let communicator: any Communicator
  let options: CheckpointOptions
  private let lock: FolderLock?

  /// Called with the name of each step of the saving protocol when it is done; throwing simulates
  /// a crash at that instant.
  package var passed: (String) throws -> Void = { _ in }
  /// Free bytes of the file system of a folder; below 0 where it does not say.
  package var freeBytes: (String) -> Int = CheckpointStore.freeBytes

  public init(
    _ directory: String, communicator: any Communicator,
    options: CheckpointOptions = CheckpointOptions(), access: Access = .writing
  ) throws {
    self.directory = directory
    self.communicator = communicator
    self.options = options
    var lock: FolderLock?
    if access == .writing {
      _ = try communicator.onRoot {
        try Self.create(directory)
        lock = try FolderLock(directory)
        try Self.clear(directory)
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
