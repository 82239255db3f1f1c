import Autograd
import Checkpoints
import Collectives
import Foundation
import Testing

@Suite struct DamageTests {
  /// Writes steps 1 and 2 with two ranks, then lets `body` damage files of step 2.
  private func withTwoSteps(_ body: (String, String) throws -> Void) throws {
    try Sample.withFolder { folder in
      _ = try ThreadCommunicator.run(ranks: 2) { group in
        let store = try CheckpointStore(folder, communicator: group)
        try Sample.save(store, group, step: 1, version: 1)
        try Sample.save(store, group, step: 2, version: 2)
      }
      try body(folder, folder + "/step_00000002")
    }
  }

  /// The step that is found, and what was said of the ones skipped.
  private func found(in folder: String) throws -> (step: Int?, said: [CheckpointError]) {
    let store = try CheckpointStore(folder, communicator: SoloCommunicator(), access: .reading)
    return (try store.newest()?.step, store.skipped)
  }

  private func flip(_ path: String, byte: Int, bit: Int) throws {
    let file = try FileHandle(forUpdating: URL(filePath: path))
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(byte))
    var value = try #require(try file.read(upToCount: 1))[0]
    value ^= 1 << UInt8(bit)
    try file.seek(toOffset: UInt64(byte))
    try file.write(contentsOf: Data([value]))
  }

  private func size(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
  }

  /// One flipped bit anywhere: header, padding, data, checksums, footer, manifest.
  @Test(arguments: ["shard_00001-of-00002.vdc", "manifest.json"])
  func everyFlippedBitIsSeen(file: String) throws {
    try withTwoSteps { folder, last in
      let path = last + "/" + file
      let size = try size(path)
      let edges = Array(0..<min(size, 700)) + Array(max(700, size - 80)..<size)
      let inside = stride(from: 700, to: size - 80, by: 9973)
      for byte in edges + inside {
        try flip(path, byte: byte, bit: byte % 8)
        let (step, said) = try found(in: folder)
        #expect(step == 1, "byte \(byte) of \(file)")
        #expect(said.count == 1 && said[0].kind == .badData && said[0].path == path)
        try flip(path, byte: byte, bit: byte % 8)
      }
      #expect(try found(in: folder).step == 2)
    }
  }

  @Test func damagedTensorIsNamed() throws {
    try withTwoSteps { folder, last in
      let path = last + "/shard_00000-of-00002.vdc"
      // The header is below 1 KiB; the first record is adamw.m from element 0 on.
      try flip(path, byte: 1024 + 4 * 50, bit: 3)
      let damage = try CheckpointFiles(last).verify()
      #expect(damage.count == 1 && damage[0].path == path)
      #expect(damage[0].problem.contains("adamw.m, elements 0..<"))
      #expect(damage[0].problem.contains("embedding.weight"))
      let error = #expect(throws: CheckpointError.self) { try CheckpointFiles(last).digest() }
      #expect(error?.path == path)
      #expect(error?.problem.contains("do not match their checksum") == true)
      // All ranks refuse, also those that do not read the damaged file.
      let results = try ThreadCommunicator.run(ranks: 3) { group in
        let store = try CheckpointStore(folder, communicator: group, access: .reading)
        #expect(throws: CheckpointError.self) { try store.open(last) }
        return try store.newest()?.step
      }
      #expect(results == [1, 1, 1])
    }
  }

  @Test func truncatedMissingAndSwappedFiles() throws {
    try withTwoSteps { folder, last in
      let path = last + "/shard_00001-of-00002.vdc"
      let whole = try Data(contentsOf: URL(filePath: path))
      for length in [0, 10, 40, 700, whole.count / 2, whole.count - 1] {
        try whole.prefix(length).write(to: URL(filePath: path))
        let (step, said) = try found(in: folder)
        #expect(step == 1 && said.first?.path == path, "\(length) bytes")
      }
      try (whole + Data([0])).write(to: URL(filePath: path))
      #expect(try found(in: folder).step == 1)
      // A sound shard of another checkpoint.
      let other = folder + "/step_00000001/shard_00001-of-00002.vdc"
      try Data(contentsOf: URL(filePath: other)).write(to: URL(filePath: path))
      let (step, said) = try found(in: folder)
      #expect(step == 1 && said.first?.problem.contains("not the one") == true)
      try FileManager.default.removeItem(atPath: path)
      #expect(try found(in: folder).step == 1)
      try FileManager.default.removeItem(atPath: last + "/manifest.json")
      #expect(try found(in: folder).step == 1)
    }
  }

  /// More than one block: the damage is pinned to the tensor in its block.
  @Test func damageIsLocatedInLargeFiles() throws {
    try Sample.withFolder { folder in
      var layout = ParameterLayout()
      for name in ["a", "b", "c"] { layout.append(name, [512, 700]) }
      let group = SoloCommunicator()
      let store = try CheckpointStore(folder, communicator: group)
      let manifest = try Sample.save(store, group, step: 3, layout: layout)
      let path = manifest.path + "/" + manifest.files[0].name
      // Third slab, near its end.
      try flip(path, byte: try size(path) - 400_000, bit: 0)
      let damage = try CheckpointFiles(manifest.path).verify()
      #expect(damage.count == 1)
      #expect(damage[0].problem.contains("parameters, elements"))
      #expect(damage[0].problem.hasSuffix("(c)") || damage[0].problem.hasSuffix("(b, c)"))
    }
  }
}
