import Archives
import Checkpoints
import Collectives
import Foundation
import Testing

/// Saving while training goes on.
@Suite struct BackgroundTests {
  private static func store(_ folder: String, _ group: any Communicator) throws -> CheckpointStore {
    try CheckpointStore(folder, communicator: group)
  }

  /// An optimizer that changes everything as soon as the call returns changes nothing on disk.
  @Test(arguments: [1, 3]) func filesAreThoseOfABlockingSave(ranks: Int) throws {
    try Sample.withFolder { folder in
      _ = try ThreadCommunicator.run(ranks: ranks) { group in
        try Sample.save(Self.store(folder + "/blocking", group), group, step: 5)
        try Sample.saveInBackground(Self.store(folder + "/background", group), group, step: 5)
      }
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder + "/blocking/step_00000005")
      #expect(names.count == ranks + 1)
      for name in names {
        let files = ["blocking", "background"].map {
          FileManager.default.contents(atPath: "\(folder)/\($0)/step_00000005/\(name)")
        }
        #expect(files[0] != nil && files[0] == files[1], "\(name)")
      }
    }
  }

  /// The second save waits for the first, and memory for copies is taken once.
  @Test func savesFollowEachOther() throws {
    try Sample.withFolder { folder in
      _ = try ThreadCommunicator.run(ranks: 2) { group in
        let store = try Self.store(folder, group)
        var committed: [Int] = []
        store.committed = { committed.append($0.step) }
        let state = Sample.State(group, version: 1)
        try store.reserve(state.content(step: 0), lastStep: 9)
        for step in 1...4 {
          try store.begin(state.content(step: step))
          #expect(committed == Array(1..<step))
        }
        // A blocking save, too, waits for what is pending.
        try store.save(state.content(step: 5))
        #expect(committed == [1, 2, 3, 4, 5] && !store.isPending)
        #expect(store.copyAllocations == 1)
        try store.begin(state.content(step: 6))
        try store.drain()
        #expect(try store.newest()?.step == 6)
      }
      #expect(Sample.names(folder) == [4, 5, 6].map { "step_0000000\($0)" })
    }
  }

  /// A store that goes away lets its thread end first; what was not committed is no checkpoint.
  @Test func anAbandonedSaveLeavesNoCheckpoint() throws {
    try Sample.withFolder { folder in
      let group = SoloCommunicator()
      try Sample.save(Self.store(folder, group), group, step: 1)
      do {
        let store = try Self.store(folder, group)
        try store.begin(Sample.State(group, version: 2).content(step: 2))
      }
      let store = try Self.store(folder, group)
      #expect(try store.newest()?.step == 1)
      #expect(Sample.names(folder) == ["step_00000001"])
    }
  }

  @Test func withoutTheOptionASaveIsOverWhenItReturns() throws {
    try Sample.withFolder { folder in
      let group = SoloCommunicator()
      var options = CheckpointOptions()
      options.background = false
      options.readBack = false
      let store = try CheckpointStore(folder, communicator: group, options: options)
      try store.begin(Sample.State(group, version: 0).content(step: 3))
      #expect(!store.isPending && store.copyAllocations == 0)
      #expect(try Sample.loads(#require(try store.newest()), store, group))
    }
  }
}
