import Collectives
import Datasets

extension ShardSet {
  /// Opens shards on every rank, whose positions and labels the ranks of a node hold in memory that they
  /// share. Nothing may be read before the ranks have compared their fingerprints: what one has found is
  /// told to all of its node.
  ///
  /// - Throws: `ArchiveError` naming file and dataset; `CollectiveError`.
  convenience init(
    paths: [String], split: String, sharedBy communicator: any Communicator
  ) throws {
    func share(_ bytes: Int) throws -> IndexMemory {
      let memory = try communicator.nodeMemory(bytes: bytes)
      return IndexMemory(
        at: memory.pointer, of: memory, isFiller: memory.isFiller, publish: memory.publish)
    }
    try self.init(paths: paths, split: split, memory: communicator.localSize > 1 ? share : nil)
  }
}
