import Archives
import Glibc

/// The last 40 bytes of a shard: a CRC32C over everything but the images.
///
/// HDF5 1.10 does not check most of what it reads, and a changed byte in its tables can crash it.
/// With the seal, damage to tables, labels, positions or names is found before HDF5 sees the file.
/// HDF5 ignores bytes after its own end, and cuts them off when a file is changed, so a seal never
/// outlives what it seals. Files without one (made by other programs) are read all the same.
enum ShardSeal {
  private static let mark: UInt64 = 0x314C_4145_5344_5356  // "VSDSEAL1"
  private static let size = 40

  /// Seals a complete file. `images` are the bytes that `content` covers instead.
  static func append(to path: String, leavingOut images: Range<Int>) throws {
    let reader = try FileReader(path)
    let crc = try checksum(reader, count: reader.size, leavingOut: images)
    var words: [UInt64] = [
      mark, UInt64(reader.size), UInt64(images.lowerBound), UInt64(images.upperBound),
    ]
    let own = words.withUnsafeBytes { CRC32C.of($0) }
    words.append(UInt64(crc) << 32 | UInt64(own))
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw ArchiveError.system("cannot be opened", path: path) }
    defer { close(descriptor) }
    let put = words.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
    guard put == size else { throw ArchiveError.system("cannot be written", path: path) }
  }

  /// Throws if a sealed file is not what was sealed.
  static func check(_ reader: FileReader) throws {
    guard reader.size > size else { return }
    let start = reader.size - size
    let words = try reader.bytes(at: start, count: size).withUnsafeBytes {
      Array($0.bindMemory(to: UInt64.self))
    }
    guard words[0] == mark else { return }
    let own = words[..<4].withUnsafeBytes { CRC32C.of($0) }
    guard UInt32(truncatingIfNeeded: words[4]) == own, words[1] == UInt64(start),
      words[2] <= words[3], words[3] <= words[1]
    else { throw damaged(reader.path, "its seal is damaged") }
    let images = Int(words[2])..<Int(words[3])
    let crc = try checksum(reader, count: start, leavingOut: images)
    guard crc == UInt32(words[4] >> 32) else {
      throw damaged(reader.path, "its tables or labels are damaged (wrong checksum)")
    }
  }

  private static func damaged(_ path: String, _ problem: String) -> ArchiveError {
    .bad(path, problem, remedy: "Copy the shard again, or delete it and make it again")
  }

  private static func checksum(
    _ reader: FileReader, count: Int, leavingOut images: Range<Int>
  ) throws -> UInt32 {
    var crc = CRC32C()
    let step = 1 << 20
    for part in [0..<images.lowerBound, images.upperBound..<count] {
      for start in stride(from: part.lowerBound, to: part.upperBound, by: step) {
        let piece = try reader.bytes(at: start, count: min(step, part.upperBound - start))
        piece.withUnsafeBytes { crc.update($0) }
      }
    }
    return crc.value
  }
}
