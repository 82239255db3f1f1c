import Checkpoints
import Collectives
import Foundation
import Testing

/// Room in the folder, and who may write there.
@Suite struct FolderTests {
  @Test func fullDiskIsSeenBeforeWriting() throws {
    try Sample.withFolder { folder in
      _ = try ThreadCommunicator.run(ranks: 2) { group in
        let store = try CheckpointStore(folder, communicator: group)
        store.freeBytes = { _ in 1 << 20 }
        let error = #expect(throws: CheckpointError.self) { try Sample.save(store, group, step: 2) }
        #expect(error?.kind == .inputOutput)
        #expect(error?.problem.contains("only 1 MiB are free") == true)
      }
      #expect(Sample.names(folder) == [])
    }
  }

  /// Before training there must be room for what retention keeps and one more, two at least.
  @Test func roomForAllThatIsKeptIsAskedFor() throws {
    try Sample.withFolder { folder in
      var options = CheckpointOptions()
      (options.keepLast, options.everySteps) = (3, 5)
      options.keepEverySteps = 100
      _ = try ThreadCommunicator.run(ranks: 2) { [options] group in
        let store = try CheckpointStore(folder, communicator: group, options: options)
        let content = Sample.State(group, version: 0).content(step: 50)
        let size = content.bytes + (1 << 20)
        // Three, milestones 100 and 200, and the one that is written before the oldest goes.
        store.freeBytes = { _ in 6 * size }
        try store.reserve(content, lastStep: 250)
        store.freeBytes = { _ in 6 * size - 1 }
        let error = #expect(throws: CheckpointError.self) {
          try store.reserve(content, lastStep: 250)
        }
        #expect(error?.kind == .inputOutput)
        #expect(error?.problem.contains("will keep 6 more checkpoints") == true)
        // Those that are there need no more room, but two are always asked for.
        for step in 51...54 { try Sample.save(store, group, step: step) }
        store.freeBytes = { _ in 2 * size }
        try store.reserve(content, lastStep: 60)
        store.freeBytes = { _ in 2 * size - 1 }
        #expect(throws: CheckpointError.self) { try store.reserve(content, lastStep: 60) }
      }
    }
  }

  /// However many may be kept, a run needs no more room than for those that it writes; where a clock
  /// or a score decides about saves, nobody knows how many those are.
  @Test(arguments: [
    (500, 0, 0.0, 1), (100, 0, 0.0, 3), (10, 0, 0.0, 20), (0, 0, 0.0, 1), (0, 0, 10.0, 1001),
    (100, 5, 0.0, 1006),
  ]) func aShortRunNeedsRoomForWhatItWritesOnly(
    _ everySteps: Int, _ keepBest: Int, _ everyMinutes: Double, _ count: Int
  ) throws {
    try Sample.withFolder { folder in
      var options = CheckpointOptions()
      (options.keepLast, options.keepBest, options.bestMetric) = (1000, keepBest, "accuracy")
      (options.everySteps, options.everyMinutes) = (everySteps, everyMinutes)
      _ = try ThreadCommunicator.run(ranks: 2) { [options] group in
        let store = try CheckpointStore(folder, communicator: group, options: options)
        // Steps 51 to 250; step 250 is the last and counts once.
        let content = Sample.State(group, version: 0).content(step: 50)
        let size = content.bytes + (1 << 20)
        store.freeBytes = { _ in count * size }
        try store.reserve(content, lastStep: 250)
        store.freeBytes = { _ in count * size - 1 }
        let error = #expect(throws: CheckpointError.self) {
          try store.reserve(content, lastStep: 250)
        }
        #expect(error?.problem.contains("keep \(count) more checkpoint") == true)
      }
    }
  }

  @Test func twoJobsInOneFolderAreRefused() throws {
    try Sample.withFolder { folder in
      try withExtendedLifetime(
        try CheckpointStore(folder, communicator: SoloCommunicator())
      ) {
        _ = try ThreadCommunicator.run(ranks: 2) { group in
          let error = #expect(throws: CheckpointError.self) {
            try CheckpointStore(folder, communicator: group)
          }
          #expect(error?.problem.contains("in use by process \(getpid()) on ") == true)
        }
        // Reading is allowed.
        _ = try CheckpointStore(folder, communicator: SoloCommunicator(), access: .reading)
      }
      _ = try CheckpointStore(folder, communicator: SoloCommunicator())
    }
  }

  /// Where locks of other hosts are not seen, a job notices at the next commit that another has come.
  @Test func aJobThatWasReplacedCommitsNothing() throws {
    try Sample.withFolder { folder in
      let errors = try ThreadCommunicator.run(ranks: 2) { group in
        let store = try CheckpointStore(folder, communicator: group)
        try Sample.save(store, group, step: 1)
        if group.isRoot {
          try Data("process 7 on another\nnumber 1\n".utf8).write(
            to: URL(filePath: folder + "/lock"))
        }
        return #expect(throws: CheckpointError.self) {
          try Sample.saveInBackground(store, group, step: 2)
        }
      }
      for error in errors {
        #expect(error?.kind == .inputOutput)
        #expect(error?.problem.contains("taken over by process 7 on another") == true)
      }
      #expect(Sample.names(folder) == ["step_00000001"])
    }
  }
}
