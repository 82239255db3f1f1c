import Archives
import Autograd
import Checkpoints
import Collectives
import Foundation
import Testing

@Suite struct RoundTripTests {
  /// Whatever number of ranks wrote it, any other reads it, and the digest is the same.
  @Test(arguments: [1, 2, 3, 4, 5, 8])
  func anyNumberOfRanksReads(writers: Int) throws {
    try Sample.withFolder { folder in
      _ = try ThreadCommunicator.run(ranks: writers) { group in
        let store = try CheckpointStore(folder, communicator: group)
        try Sample.save(store, group, step: 7)
      }
      for readers in [1, 2, 3, 4, 5, 8] {
        let right = try ThreadCommunicator.run(ranks: readers) { group in
          let store = try CheckpointStore(folder, communicator: group, access: .reading)
          let manifest = try #require(try store.newest())
          try manifest.check(Sample.layout)
          #expect(manifest.step == 7 && manifest.ranks == writers && manifest.seed == .max)
          #expect(manifest.state == ["schedule.updates": "7"])
          return try Sample.loads(manifest, store, group)
        }
        #expect(right.allSatisfy { $0 }, "written by \(writers), read by \(readers)")
      }
      let files = try CheckpointFiles(folder)
      #expect(try files.verify() == [])
      #expect(try files.digest() == Self.expectedDigest())
      #expect(files.inspect().contains("\(writers) ranks"))
      #expect(try files.read("adamw.m")[4097] == Sample.value("adamw.m", 4097))
    }
  }

  private static func expectedDigest() -> String {
    let digest = SHA256Digest()
    for slab in Sample.slabs {
      for entry in Sample.layout.entries {
        digest.update("\(slab) \(entry.name) \(entry.shape.extents)\n")
        entry.range.map { Sample.value(slab, $0) }.withUnsafeBytes { digest.update($0) }
      }
    }
    return digest.finish()
  }

  /// What is not laid out like the parameters: ten numbers, of which rank r of P has its share.
  @Test func anArrayHasALengthOfItsOwn() throws {
    @Sendable func share(_ group: any Communicator) -> Range<Int> {
      10 * group.rank / group.size..<10 * (group.rank + 1) / group.size
    }
    var digests: Set<String> = []
    for writers in [1, 3, 16] {
      try Sample.withFolder { folder in
        _ = try ThreadCommunicator.run(ranks: writers) { group in
          let store = try CheckpointStore(folder, communicator: group)
          var values = share(group).map { Float($0) } + [0]
          try values.withUnsafeMutableBufferPointer { values in
            let memory = CheckpointSlab(
              "memory", array: try #require(values.baseAddress), share(group), of: 10)
            let content = CheckpointContent(layout: ParameterLayout(), slabs: [memory])
            try store.save(content)
          }
        }
        _ = try ThreadCommunicator.run(ranks: 2) { group in
          let store = try CheckpointStore(folder, communicator: group, access: .reading)
          var values = [Float](repeating: .nan, count: 5)
          try values.withUnsafeMutableBufferPointer { values in
            let memory = CheckpointSlab(
              "memory", array: try #require(values.baseAddress), share(group), of: 10)
            try store.load(try #require(try store.newest()), into: [memory])
          }
          #expect(values == share(group).map { Float($0) })
        }
        let files = try CheckpointFiles(folder)
        #expect(try files.verify() == [])
        #expect(try files.read("memory") == (0..<10).map { Float($0) })
        digests.insert(try files.digest())
      }
    }
    #expect(digests.count == 1, "the digest depends on the number of ranks")
  }

  @Test func anotherModelIsNamed() throws {
    try Sample.withFolder { folder in
      let group = SoloCommunicator()
      let store = try CheckpointStore(folder, communicator: group)
      let manifest = try Sample.save(store, group, step: 1)
      var other = ParameterLayout()
      other.append("embedding.weight", [37, 100])
      other.append("blocks.0.norm.bias", [12])
      let error = #expect(throws: CheckpointError.self) { try manifest.check(other) }
      #expect(error?.kind == .badData)
      #expect(error?.problem.contains("expected blocks.0.norm.bias [12]") == true)
      #expect(error?.problem.contains("found blocks.0.norm.bias [13]") == true)
      var value: Float = 0
      let missing = #expect(throws: CheckpointError.self) {
        try store.load(manifest, into: [CheckpointSlab("ema", whole: &value, ranges: [0..<1])])
      }
      #expect(missing?.problem.contains("no ema, only adamw.m, adamw.v, parameters") == true)
    }
  }

  @Test func metricsNeedNotBeFinite() throws {
    try Sample.withFolder { folder in
      let group = SoloCommunicator()
      let store = try CheckpointStore(folder, communicator: group)
      try Sample.save(store, group, step: 1, metrics: ["loss": .nan, "best": -.infinity])
      let found = try #require(try store.newest())
      #expect(found.metrics["loss"]?.isNaN == true && found.metrics["best"] == -.infinity)
    }
  }

  @Test func emptyFolderHasNone() throws {
    try Sample.withFolder { folder in
      let store = try CheckpointStore(folder, communicator: SoloCommunicator())
      #expect(try store.newest() == nil)
      let error = #expect(throws: CheckpointError.self) { try store.open(folder) }
      #expect(error?.kind == .inputOutput)
      #expect(throws: CheckpointError.self) { try CheckpointFiles(folder + "/nowhere") }
    }
  }

  /// Folders above are made; a file in the way is named.
  @Test func folderIsCreatedOrRefused() throws {
    try Sample.withFolder { folder in
      let group = SoloCommunicator()
      _ = try CheckpointStore(folder + "/a/b/", communicator: group)
      #expect(FileManager.default.fileExists(atPath: folder + "/a/b/lock"))
      for path in [folder + "/a/b/lock", folder + "/a/b/lock/c"] {
        let error = #expect(throws: CheckpointError.self) {
          try CheckpointStore(path, communicator: group)
        }
        #expect(error?.kind == .inputOutput && error?.path.hasPrefix(folder + "/a/b/lock") == true)
        #expect(error?.problem.contains("Not a directory") == true)
      }
    }
  }
}
