import Configuration
import Foundation
import Testing
import Training

@Suite struct MetricsLogTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "vitdist-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func fields(_ loss: Float) -> ValueTree.Mapping {
    var fields = ValueTree.Mapping()
    fields["loss"] = ValueTree(.number(Double(loss)))
    fields["lossBits"] = ValueTree(.string(hexadecimalBits(loss)))
    return fields
  }

  @Test func linesAreObjectsInOrderWithExactNumbers() throws {
    try withFolder { folder in
      let path = "\(folder)/metrics.jsonl"
      let log = try MetricsLog(path: path)
      try log.write(step: 1, fields(0.1))
      try log.write(step: 2, fields(.nan))
      #expect(
        try String(contentsOfFile: path, encoding: .utf8) == """
          {"step":1,"loss":0.10000000149011612,"lossBits":"0x3dcccccd"}
          {"step":2,"loss":null,"lossBits":"0x7fc00000"}

          """)
    }
    #expect(hexadecimalBits(1.0) == "0x3ff0000000000000")
    #expect(hexadecimalBits(Float(1e-40)) == "0x000116c2")
  }

  @Test func aResumedRunLeavesNoLineTwiceAndNoHalfLine() throws {
    try withFolder { folder in
      let path = "\(folder)/metrics.jsonl"
      var log: MetricsLog? = try MetricsLog(path: path)
      for step in 1...5 { try log?.write(step: step, fields(Float(step))) }
      log = nil
      let whole = try String(contentsOfFile: path, encoding: .utf8)
      try (whole + "{\"step\":6,\"lo").write(toFile: path, atomically: true, encoding: .utf8)
      log = try MetricsLog(path: path, resumingAfter: 5)
      log = nil
      #expect(try String(contentsOfFile: path, encoding: .utf8) == whole)
      log = try MetricsLog(path: path, resumingAfter: 3)
      for step in 4...5 { try log?.write(step: step, fields(Float(step))) }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == whole)
      log = try MetricsLog(path: path)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "")
    }
  }

  @Test func aFolderThatIsNotThereIsNamed() {
    #expect {
      try MetricsLog(path: "/nowhere/metrics.jsonl")
    } throws: {
      "\($0)" == """
        /nowhere/metrics.jsonl: cannot open the file: No such file or directory. \
        Check the folder, its permissions and the space on the disk.
        """
    }
  }

  @Test func theMaskIsTensorBoards() {
    // By TensorBoard's own reader.
    #expect(RecordFrame.masked(Array("123456789".utf8)) == 0xc78a_b0e5)
  }

  @Test func eventFilesAreFramesOfMessages() throws {
    try withFolder { folder in
      do {
        let file = try EventFile(folder: folder, resumingAfter: 9, time: 1000.5)
        try file.write(step: 300, [("train/loss", 2.5), ("lr", 1e-3)], time: 1001)
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents.1000."))
      let bytes = [UInt8](
        try #require(FileManager.default.contents(atPath: "\(folder)/\(names[0])")))
      var messages: [[UInt8]] = []
      var at = 0
      while at < bytes.count {
        let length = Int(number(bytes[at..<at + 8]))
        #expect(
          number(bytes[at + 8..<at + 12]) == UInt64(RecordFrame.masked(Array(bytes[at..<at + 8]))))
        let message = Array(bytes[at + 12..<at + 12 + length])
        #expect(
          number(bytes[at + 12 + length..<at + 16 + length]) == UInt64(RecordFrame.masked(message)))
        messages.append(message)
        at += 16 + length
      }
      #expect(messages.count == 3)
      #expect(messages[0].suffix(15) == [3 << 3 | 2, 13] + Array("brain.Event:2".utf8))
      #expect(messages[1].suffix(6) == [0x10, 10, 0x3a, 2, 0x08, 1])
      let loss: [UInt8] =
        [0x0a, 17, 0x0a, 10] + Array("train/loss".utf8) + [0x15, 0, 0, 0x20, 0x40]
      let rate: [UInt8] = [0x0a, 9, 0x0a, 2] + Array("lr".utf8) + [0x15, 0x6f, 0x12, 0x83, 0x3a]
      let time: [UInt8] = [0x09, 0, 0, 0, 0, 0, 0x48, 0x8f, 0x40]
      #expect(
        messages[2] == time + [0x10, 0xac, 0x02, 0x2a, UInt8(loss.count + rate.count)] + loss + rate
      )
    }
  }

  private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
