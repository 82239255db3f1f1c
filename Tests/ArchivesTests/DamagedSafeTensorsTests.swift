import Archives
import TestSupport
import Testing

/// Cut and changed files: an `ArchiveError` or a successful reading, nothing else.
@Suite struct DamagedSafeTensorsTests {
  @Test func damageNeverCrashes() throws {
    let folder = try ScratchFolder()
    try SafeTensors.write(
      [
        SafeTensorEntry("blocks.0.weight", shape: [4, 3], values: (0..<12).map { Float($0) }),
        SafeTensorEntry("mask", type: .u8, shape: [5], bytes: [1, 0, 1, 0, 1]),
      ], to: folder["x"])
    let reader = try FileReader(folder["x"])
    let whole = try reader.bytes(at: 0, count: reader.size)
    for count in 0..<whole.count {
      let path = try folder.write("cut", Array(whole[..<count]))
      #expect(throws: ArchiveError.self) { try SafeTensors.read(path) }
    }
    // Every byte of the header in turn, changed in three ways.
    for position in 0..<whole.count {
      for change: UInt8 in [0x01, 0x20, 0xFF] {
        var damaged = whole
        damaged[position] ^= change
        let path = try folder.write("changed", damaged)
        do {
          let file = try SafeTensors.read(path)
          for tensor in file.tensors { _ = try file.values(tensor.name) }
        } catch {
          #expect(error is ArchiveError, "\(error)")
        }
      }
    }
  }
}
