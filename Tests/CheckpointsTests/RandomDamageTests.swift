import Archives
import Checkpoints
import Collectives
import Foundation
import Tensors
import Testing

/// Flipped bits and cuts at random places of all files of a checkpoint: each is detected, and the
/// checkpoint before is found, or it is harmless, which its digest proves. Nothing crashes.
///
/// `VITDIST_DAMAGE` sets the number of trials; `Launch/torture --damage N` does.
@Suite struct RandomDamageTests {
  private static let trials =
    ProcessInfo.processInfo.environment["VITDIST_DAMAGE"].flatMap { Int($0) } ?? 600

  @Test func nothingDamagedIsLoaded() throws {
    try Sample.withFolder(inMemory: true) { folder in
      _ = try ThreadCommunicator.run(ranks: 3) { group in
        let store = try CheckpointStore(folder, communicator: group)
        try Sample.save(store, group, step: 1, version: 1)
        try Sample.save(store, group, step: 2, version: 2)
      }
      let last = folder + "/step_00000002"
      let digest = try CheckpointFiles(last).digest()
      let names = try FileManager.default.contentsOfDirectory(atPath: last).sorted()
      let files = try names.map { try Data(contentsOf: URL(filePath: last + "/" + $0)) }
      let key = RandomKey(seed: 11, .synthesis)
      var detected = 0
      for trial in 0..<Self.trials {
        let number = key.below(names.count, 3 * trial)
        let path = last + "/" + names[number]
        try Self.damage(files[number], key, trial).write(to: URL(filePath: path))
        if try Self.isDetected(folder, last, digest) { detected += 1 }
        try files[number].write(to: URL(filePath: path))
      }
      #expect(try CheckpointFiles(folder).digest() == digest)
      print("\(Self.trials) times damaged, \(detected) detected, the rest harmless")
      #expect(detected > Self.trials * 9 / 10)
    }
  }

  /// Three times of four one bit is other, else the file is cut, or a stretch of it is zero.
  private static func damage(_ file: Data, _ key: RandomKey, _ trial: Int) -> Data {
    let place = key.below(file.count, 3 * trial + 1)
    let way = key.below(32, 3 * trial + 2)
    var bytes = file
    switch way {
    case 0..<24: bytes[place] ^= 1 << UInt8(way % 8)
    case 24..<29: bytes = bytes.prefix(place)
    default:
      let end = min(bytes.count, place + 4096)
      bytes.replaceSubrange(place..<end, with: Data(count: end - place))
    }
    return bytes
  }

  /// False if the damage is harmless; an issue if it is neither that nor detected.
  private static func isDetected(_ folder: String, _ last: String, _ digest: String) throws -> Bool
  {
    let store = try CheckpointStore(folder, communicator: SoloCommunicator(), access: .reading)
    let newest = try store.newest()
    let isPassedOver = newest?.step == 1 && store.skipped.count == 1
    #expect(isPassedOver || newest?.step == 2)
    do {
      let found = try CheckpointFiles(last)
      let isSound = try found.verify().isEmpty
      #expect(isSound != isPassedOver)
      #expect(try !isSound || found.digest() == digest, "damage that was not detected")
    } catch let error as CheckpointError {
      #expect(error.kind == .badData && isPassedOver, "\(error)")
    }
    return isPassedOver
  }
}
