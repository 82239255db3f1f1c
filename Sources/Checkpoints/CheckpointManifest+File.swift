import Archives
import Foundation

extension CheckpointManifest {
  static let blankChecksum = "00000000"
  private static let key = Array("\"checksum\" : \"".utf8)

  /// The file's bytes. The checksum in it is the CRC-32C of the same bytes with zeros in its place,
  /// so that a flipped bit anywhere is seen.
  func encoded() throws -> [UInt8] {
    var blank = self
    blank.checksum = Self.blankChecksum
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // A metric may well be NaN; that must not cost the checkpoint.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    var bytes = Array(try encoder.encode(blank))
    bytes.append(UInt8(ascii: "\n"))
    guard let place = Self.place(in: bytes) else {
      preconditionFailure("the encoder left out the checksum")
    }
    bytes.replaceSubrange(place, with: Array(Self.checksum(bytes).utf8))
    return bytes
  }

  /// Reads and checks the manifest of a checkpoint folder.
  static func read(from folder: String) throws -> CheckpointManifest {
    let path = folder + "/" + fileName
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CheckpointError.damaged(path, "the manifest is missing or cannot be read")
    }
    return try decoded(Array(data), folder: folder)
  }

  static func decoded(_ bytes: [UInt8], folder: String) throws -> CheckpointManifest {
    let path = folder + "/" + fileName
    guard let place = place(in: bytes) else {
      throw CheckpointError.damaged(path, "the manifest has no checksum")
    }
    var blank = bytes
    blank.replaceSubrange(place, with: Array(blankChecksum.utf8))
    guard checksum(blank) == String(decoding: bytes[place], as: UTF8.self) else {
      throw CheckpointError.damaged(path, "the manifest does not match its checksum")
    }
    do {
      let decoder = JSONDecoder()
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      var manifest = try decoder.decode(CheckpointManifest.self, from: Data(bytes))
      manifest.path = folder
      try manifest.checkForm(path)
      return manifest
    } catch let error as DecodingError {
      throw CheckpointError.damaged(path, "the manifest is not of this format: \(error)")
    }
  }

  /// The checksum holds against accidents only; what the numbers claim is checked before use.
  private func checkForm(_ path: String) throws {
    guard formatVersion == Self.formatVersion else {
      throw CheckpointError(
        .badData, path: path,
        "format version \(formatVersion) where this program reads \(Self.formatVersion)",
        remedy: "Use vitdist \(vitdistVersion)")
    }
    let isSound =
      files.count == ranks && ranks > 0 && step >= 0
      && files.allSatisfy { !$0.name.contains("/") && $0.bytes >= 0 }
      && ([elementCount] + (arrays ?? [:]).values).allSatisfy { (0...1 << 40).contains($0) }
      && parameters.allSatisfy { parameter in
        (0...elementCount).contains(parameter.offset)
          && Self.count(of: parameter.shape, atMost: elementCount - parameter.offset)
      }
    if !isSound { throw CheckpointError.damaged(path, "the manifest contradicts itself") }
  }

  /// Whether a shape has at most so many elements, without computing a product that overflows.
  private static func count(of shape: [Int], atMost limit: Int) -> Bool {
    var count = 1
    for extent in shape {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      if extent < 0 || overflows { return false }
      count = product
    }
    return count <= limit
  }

  private static func place(in bytes: [UInt8]) -> Range<Int>? {
    guard let found = bytes.firstRange(of: key), found.upperBound + 8 <= bytes.count else {
      return nil
    }
    return found.upperBound..<found.upperBound + 8
  }

  private static func checksum(_ bytes: [UInt8]) -> String {
    let digits = String(bytes.withUnsafeBytes { CRC32C.of($0) }, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
