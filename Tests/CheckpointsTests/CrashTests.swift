import Checkpoints
import Collectives
import Foundation
import Synchronization
import Testing

@Suite struct CrashTests {
  private struct Crash: Error {}

  /// The names of the protocol's steps that a rank passes in one undisturbed save of step 2.
  private func sites(rank: Int, replacing: Bool) throws -> [String] {
    try Sample.withFolder { folder in
      try ThreadCommunicator.run(ranks: 2) { group in
        let store = try Self.store(folder, group)
        try Sample.save(store, group, step: replacing ? 2 : 1)
        var names: [String] = []
        store.passed = { names.append($0) }
        try Sample.save(store, group, step: 2, version: 2)
        return names
      }[rank]
    }
  }

  private static func store(_ folder: String, _ group: any Communicator) throws -> CheckpointStore {
    var options = CheckpointOptions()
    options.keepLast = 1
    return try CheckpointStore(folder, communicator: group, options: options)
  }

  /// Kills a rank after each step of the protocol. What was committed is found, complete and
  /// right; the next save works; nothing is left behind.
  @Test(arguments: [0, 1], [false, true])
  func committedStateSurvives(rank: Int, replacing: Bool) throws {
    let sites = try sites(rank: rank, replacing: replacing)
    #expect(sites.count >= (rank == 0 ? 12 : 5))
    for (index, site) in sites.enumerated() {
      try Sample.withFolder { folder in
        #expect(throws: Crash.self) {
          try ThreadCommunicator.run(ranks: 2) { group in
            let store = try Self.store(folder, group)
            try Sample.save(store, group, step: replacing ? 2 : 1, version: 1)
            var count = 0
            store.passed = { _ in
              if group.rank == rank && count == index { throw Crash() }
              count += 1
            }
            try Sample.save(store, group, step: 2, version: 2)
          }
        }
        let renamed = rank == 0 && index >= (sites.firstIndex(of: "renamed") ?? .max)
        let right = try ThreadCommunicator.run(ranks: 3) { group in
          let store = try Self.store(folder, group)
          let manifest = try #require(try store.newest())
          #expect(manifest.step == (replacing || renamed ? 2 : 1), "crash after \(site)")
          #expect(store.skipped.isEmpty)
          let right = try Sample.loads(manifest, store, group, version: renamed ? 2 : 1)
          try Sample.save(store, group, step: 2, version: 2)
          #expect(try store.newest()?.step == 2)
          return right
        }
        #expect(right == [true, true, true], "crash after \(site)")
        #expect(Sample.names(folder) == ["step_00000002"])
      }
    }
  }

  /// An error of one rank is everybody's, and the folder is as before.
  @Test func errorOnOneRankIsEverybodys() throws {
    try Sample.withFolder { folder in
      let errors = try ThreadCommunicator.run(ranks: 3) { group in
        let store = try CheckpointStore(folder, communicator: group)
        try Sample.save(store, group, step: 1)
        let failure = CheckpointError(
          .inputOutput, path: "shard", "cannot write: No space left on device", remedy: "Free space"
        )
        if group.rank == 1 {
          store.passed = { if $0 == "shard data written" { throw failure } }
        }
        let error = #expect(throws: CheckpointError.self) { try Sample.save(store, group, step: 2) }
        store.passed = { _ in }
        #expect(try store.newest()?.step == 1)
        return error
      }
      #expect(errors.allSatisfy { $0?.problem == "cannot write: No space left on device" })
      #expect(Sample.names(folder) == ["step_00000001"])
    }
  }

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
}
