import Archives
import Checkpoints
import Collectives
import Foundation
import Testing

/// A fault at every site of a save: before and after each write, fsync, rename, folder's fsync and
/// deletion, on each of two ranks, with and without a checkpoint of the same step to replace.
@Suite struct StorageFaultTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    let kind: StorageFault.Kind
    let rank: Int
    let isReplacing: Bool
    let isInBackground: Bool

    var testDescription: String {
      "\(kind) on rank \(rank)\(isReplacing ? ", replacing" : "")"
        + (isInBackground ? ", in the background" : "")
    }

    static let all: [Setting] = StorageFault.Kind.allCases.flatMap { kind in
      [0, 1].flatMap { rank in
        [false, true].flatMap { replacing in
          [false, true].map {
            Setting(kind: kind, rank: rank, isReplacing: replacing, isInBackground: $0)
          }
        }
      }
    }

    /// Step 1 or 2 in version 1, then step 2 in version 2 with the fault.
    func attempt(_ folder: String, _ group: any Communicator, _ fault: StorageFault?) throws
      -> CheckpointStore
    {
      var options = CheckpointOptions()
      options.keepLast = 1
      let store = try CheckpointStore(folder, communicator: group, options: options)
      try Sample.save(store, group, step: isReplacing ? 2 : 1, version: 1)
      store.storage = Storage(fault: group.rank == rank ? fault : nil)
      defer { store.storage = Storage() }
      if isInBackground {
        try Sample.saveInBackground(store, group, step: 2, version: 2)
      } else {
        try Sample.save(store, group, step: 2, version: 2)
      }
      return store
    }

    var sites: Int {
      get throws {
        let fault = StorageFault(kind, site: .max)
        return try Sample.withFolder(inMemory: true) { folder in
          try ThreadCommunicator.run(ranks: 2) { group in
            _ = try attempt(folder, group, fault)
            return fault.sitesPassed
          }.max() ?? 0
        }
      }
    }
  }

  /// The newest checkpoint is complete and right: the new one or, unless `mustBeNew`, the old one.
  private static func holds(
    _ store: CheckpointStore, _ group: any Communicator, mustBeNew: Bool
  ) throws -> Bool {
    guard let manifest = try store.newest(), store.skipped.isEmpty else { return false }
    if try Sample.loads(manifest, store, group, version: 2) { return manifest.step == 2 }
    return try !mustBeNew && Sample.loads(manifest, store, group, version: 1)
  }

  @Test(arguments: Setting.all.filter { $0.kind == .kill })
  func aDeathLosesNothing(_ setting: Setting) throws {
    let sites = try setting.sites
    #expect(sites >= (setting.rank == 0 ? 40 : 16), "\(sites) sites")
    for site in 0..<sites {
      try Sample.withFolder(inMemory: true) { folder in
        let fault = StorageFault(.kill, site: site, feignsDeath: true)
        #expect(throws: StorageFault.FeignedDeath.self) {
          try ThreadCommunicator.run(ranks: 2) { _ = try setting.attempt(folder, $0, fault) }
        }
        let held = try ThreadCommunicator.run(ranks: 3) { group in
          var options = CheckpointOptions()
          options.keepLast = 1
          let store = try CheckpointStore(folder, communicator: group, options: options)
          let held = try Self.holds(store, group, mustBeNew: false)
          try Sample.save(store, group, step: 3)
          return try held && store.newest()?.step == 3
        }
        #expect(held == [true, true, true], "site \(site)")
        #expect(Sample.names(folder) == ["step_00000003"], "site \(site)")
      }
    }
  }

  /// An error on one rank is everybody's, the run could go on, and the next save is as good as any. An
  /// error after the commit, when old checkpoints are deleted, is only told.
  @Test(arguments: Setting.all.filter { $0.kind == .enospc || $0.kind == .eio })
  func anErrorLosesNothing(_ setting: Setting) throws {
    var failures = 0
    for site in 0..<(try setting.sites) {
      try Sample.withFolder(inMemory: true) { folder in
        let fault = StorageFault(setting.kind, site: site)
        let told = try ThreadCommunicator.run(ranks: 2) { group in
          let (said, store) = try Self.said(by: setting, folder, group, fault)
          #expect(try Self.holds(store, group, mustBeNew: said.isEmpty), "site \(site)")
          #expect(!Sample.names(folder).contains { $0.hasSuffix(".tmp") }, "site \(site)")
          try group.barrier()
          try Sample.save(store, group, step: 3)
          #expect(try store.newest()?.step == 3)
          return said
        }
        #expect(told[0] == told[1], "site \(site)")
        if !told[0].isEmpty { failures += 1 }
        #expect(Sample.names(folder) == ["step_00000003"], "site \(site)")
      }
    }
    #expect(failures > 10)
  }

  /// What the save said when it failed, nothing if it went well; and its store.
  private static func said(
    by setting: Setting, _ folder: String, _ group: any Communicator, _ fault: StorageFault
  ) throws -> (String, CheckpointStore) {
    var options = CheckpointOptions()
    options.keepLast = 1
    let store = try CheckpointStore(folder, communicator: group, options: options)
    try Sample.save(store, group, step: setting.isReplacing ? 2 : 1, version: 1)
    store.storage = Storage(fault: group.rank == setting.rank ? fault : nil)
    defer { store.storage = Storage() }
    do {
      if setting.isInBackground {
        try Sample.saveInBackground(store, group, step: 2, version: 2)
      } else {
        try Sample.save(store, group, step: 2, version: 2)
      }
      return ("", store)
    } catch let error as CheckpointError {
      #expect(error.kind == .inputOutput && !store.isPending)
      let reason = setting.kind == .eio ? "Input/output error" : "No space left on device"
      #expect(error.problem.contains(reason), "\(error)")
      return (error.description, store)
    }
  }

  /// A write that takes half of its bytes is no error: the rest follows, and the bytes are the same.
  @Test(arguments: Setting.all.filter { $0.kind == .short })
  func aShortWriteIsCompleted(_ setting: Setting) throws {
    for site in 0..<(try setting.sites) {
      try Sample.withFolder(inMemory: true) { folder in
        let fault = StorageFault(.short, site: site)
        let held = try ThreadCommunicator.run(ranks: 2) { group in
          let store = try setting.attempt(folder, group, fault)
          return try Self.holds(store, group, mustBeNew: true)
        }
        #expect(held == [true, true], "site \(site)")
        #expect(Sample.names(folder) == ["step_00000002"], "site \(site)")
      }
    }
  }

  /// Death while a crash is being cleared up, at every site.
  @Test func clearingUpMayBeInterrupted() throws {
    func prepare(_ folder: String) throws {
      let group = SoloCommunicator()
      var options = CheckpointOptions()
      options.keepLast = 4
      let store = try CheckpointStore(folder, communicator: group, options: options)
      for step in 1...4 { try Sample.save(store, group, step: step, version: 1) }
      for (step, ending) in [(2, ".old"), (3, ".trash"), (4, ".tmp")] {
        let name = folder + "/step_0000000\(step)"
        try FileManager.default.moveItem(atPath: name, toPath: name + ending)
      }
    }
    let probe = StorageFault(.kill, site: .max)
    try Sample.withFolder(inMemory: true) { folder in
      try prepare(folder)
      _ = try CheckpointStore(
        folder, communicator: SoloCommunicator(), storage: Storage(fault: probe))
      #expect(Sample.names(folder) == ["step_00000001", "step_00000002"])
    }
    #expect(probe.sitesPassed > 10)
    for site in 0..<probe.sitesPassed {
      try Sample.withFolder(inMemory: true) { folder in
        try prepare(folder)
        let fault = StorageFault(.kill, site: site, feignsDeath: true)
        #expect(throws: StorageFault.FeignedDeath.self) {
          _ = try CheckpointStore(
            folder, communicator: SoloCommunicator(), storage: Storage(fault: fault))
        }
        let group = SoloCommunicator()
        let store = try CheckpointStore(folder, communicator: group)
        let manifest = try #require(try store.newest())
        #expect(manifest.step == 2)
        #expect(try Sample.loads(manifest, store, group, version: 1))
        #expect(Sample.names(folder) == ["step_00000001", "step_00000002"])
      }
    }
  }
}
