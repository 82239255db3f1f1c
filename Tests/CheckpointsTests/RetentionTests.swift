import Checkpoints
import Collectives
import Configuration
import Foundation
import Testing

@Suite struct RetentionTests {
  private func kept(_ options: CheckpointOptions, _ metrics: [Double]) throws -> [Int] {
    try Sample.withFolder { folder in
      let group = SoloCommunicator()
      let store = try CheckpointStore(folder, communicator: group, options: options)
      for (i, metric) in metrics.enumerated() {
        try Sample.save(store, group, step: i + 1, metrics: ["accuracy": metric])
        #expect(store.warning.isEmpty)
      }
      return Sample.names(folder).compactMap { Int($0.dropFirst(5)) }
    }
  }

  @Test func rulesAddUp() throws {
    let metrics = [0.1, 0.9, 0.3, 0.9, .nan, 0.2, 0.1]
    var options = CheckpointOptions()
    options.keepLast = 2
    #expect(try kept(options, metrics) == [6, 7])
    options.keepEverySteps = 3
    #expect(try kept(options, metrics) == [3, 6, 7])
    options.keepBest = 1
    options.bestMetric = "accuracy"
    // Of two equals the newer is kept.
    #expect(try kept(options, metrics) == [3, 4, 6, 7])
    options.bestIsHighest = false
    options.keepEverySteps = 0
    options.keepLast = 1
    #expect(try kept(options, metrics) == [7])
    #expect(try kept(options, Array(metrics.dropLast())) == [1, 6])
  }

  /// After falling back behind a damaged checkpoint, the new one stays, although it is older.
  @Test func currentIsNeverDeleted() throws {
    try Sample.withFolder { folder in
      let group = SoloCommunicator()
      var options = CheckpointOptions()
      options.keepLast = 1
      let store = try CheckpointStore(folder, communicator: group, options: options)
      try Sample.save(store, group, step: 30)
      try Data().write(to: URL(filePath: folder + "/step_00000030/manifest.json"))
      try Sample.save(store, group, step: 20)
      try Sample.save(store, group, step: 25)
      #expect(Sample.names(folder) == ["step_00000025", "step_00000030"])
      #expect(try store.newest()?.step == 25)
      try Sample.save(store, group, step: 30)
      #expect(Sample.names(folder) == ["step_00000030"])
      #expect(try store.newest()?.step == 30)
    }
  }

  /// What crashes leave is cleared at the start; what is not ours stays.
  @Test func staleFoldersAreCleared() throws {
    try Sample.withFolder { folder in
      let names = [
        "step_00000001.tmp", "step_00000002.trash", "step_00000003.old", "notes.tmp", "step_4.tmp",
      ]
      for name in names {
        try FileManager.default.createDirectory(
          atPath: folder + "/" + name, withIntermediateDirectories: true)
      }
      _ = try CheckpointStore(folder, communicator: SoloCommunicator())
      #expect(Sample.names(folder) == ["notes.tmp", "step_00000003", "step_4.tmp"])
    }
  }

  @Test func optionsAreChecked() {
    #expect(throws: Never.self) { try CheckpointOptions().validate() }
    var options = CheckpointOptions()
    options.keepLast = 0
    #expect(throws: ConfigurationError.self) { try options.validate() }
    options = CheckpointOptions()
    options.keepBest = 1
    #expect(throws: ConfigurationError.self) { try options.validate() }
  }
}
