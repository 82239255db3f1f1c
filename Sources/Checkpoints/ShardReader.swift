import Archives
import Foundation
import Glibc

/// Reads one shard file. Opening checks everything but the data; each block of the data is checked
/// when it is touched. Throws `CheckpointError` naming the file and what is damaged.
final class ShardReader {
  let path: String
  let table: ShardFormat.Table
  let size: Int
  private let descriptor: Int32
  private let dataStart: Int
  private let dataBytes: Int
  private let sums: [UInt32]
  /// The block read last, and its number.
  private var block: [UInt8] = []
  private var blockNumber = -1

  init(_ path: String) throws {
    self.path = path
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw CheckpointError(.system("cannot open the shard", path: path)) }
    do {
      var status = stat()
      guard fstat(file, &status) == 0 else {
        throw CheckpointError(.system("cannot examine the shard", path: path))
      }
      size = Int(status.st_size)
      let header = try Self.header(file, path, size)
      dataStart = header.length
      dataBytes = header.dataBytes
      table = header.table
      sums = try Self.sums(file, path, size, dataStart + dataBytes, dataBytes)
    } catch {
      close(file)
      throw error
    }
    descriptor = file
  }

  deinit { close(descriptor) }

  private static func read(_ file: Int32, _ path: String, _ range: Range<Int>) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(file, $0.baseAddress! + done, range.count - done, off_t(range.lowerBound + done))
      }
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw CheckpointError(.system("cannot read", path: path)) }
      if count == 0 { throw CheckpointError.damaged(path, "the file is cut short") }
      done += count
    }
    return bytes
  }

  private static func header(_ file: Int32, _ path: String, _ size: Int) throws
    -> (length: Int, dataBytes: Int, table: ShardFormat.Table)
  {
    let fixed = ShardFormat.fixedHeaderBytes
    guard size >= fixed + ShardFormat.footerBytes else {
      throw CheckpointError.damaged(path, "the file is cut short (\(size) bytes)")
    }
    let start = try read(file, path, 0..<fixed)
    let length = Int(start.number(UInt32.self, at: 12))
    let tableBytes = Int(start.number(UInt32.self, at: 16))
    guard length <= size, length % 64 == 0, fixed + tableBytes + 4 <= length else {
      throw CheckpointError.damaged(path, "the header is damaged or the file cut short")
    }
    let header = try read(file, path, 0..<length)
    let crc = header.prefix(length - 4).withUnsafeBytes { CRC32C.of($0) }
    guard crc == header.number(UInt32.self, at: length - 4) else {
      throw CheckpointError.damaged(path, "the header does not match its checksum")
    }
    guard Array(header.prefix(8)) == ShardFormat.magic,
      header.number(UInt32.self, at: 8) == ShardFormat.version,
      header.number(UInt32.self, at: 20) == UInt32(ShardFormat.blockBytes)
    else { throw CheckpointError.damaged(path, "the file is not a shard of this format") }
    let dataBytes = Int(clamping: header.number(UInt64.self, at: 24))
    let json = Data(header[fixed..<fixed + tableBytes])
    guard let table = try? JSONDecoder().decode(ShardFormat.Table.self, from: json),
      dataBytes <= size,
      table.records.allSatisfy({ record in
        (0...1 << 40).contains(record.start) && record.offset >= 0
          && (0...size).contains(record.count)
          && record.offset <= size && record.bytes.upperBound <= dataBytes
      })
    else { throw CheckpointError.damaged(path, "the table of records is damaged") }
    return (length, dataBytes, table)
  }

  private static func sums(
    _ file: Int32, _ path: String, _ size: Int, _ start: Int, _ dataBytes: Int
  ) throws -> [UInt32] {
    let count = ShardFormat.blocks(dataBytes)
    let end = start + count * 4
    guard size == end + ShardFormat.footerBytes else {
      throw CheckpointError.damaged(
        path, "\(size) bytes where \(end + ShardFormat.footerBytes) belong")
    }
    let footer = try read(file, path, end..<size)
    guard
      footer.prefix(24).withUnsafeBytes({ CRC32C.of($0) }) == footer.number(UInt32.self, at: 24),
      Array(footer[16..<24]) == ShardFormat.endMagic,
      footer.number(UInt64.self, at: 0) == UInt64(dataBytes),
      footer.number(UInt32.self, at: 8) == UInt32(count)
    else { throw CheckpointError.damaged(path, "the footer is damaged") }
    let list = try read(file, path, start..<end)
    guard list.withUnsafeBytes({ CRC32C.of($0) }) == footer.number(UInt32.self, at: 12) else {
      throw CheckpointError.damaged(path, "the list of checksums is damaged")
    }
    return (0..<count).map { list.number(UInt32.self, at: 4 * $0) }
  }

  /// Copies `elements` of a record to memory that begins with the first of them.
  func read(
    _ elements: Range<Int>, of record: ShardFormat.Record, into target: UnsafeMutablePointer<Float>
  ) throws {
    let stride = MemoryLayout<Float>.stride
    var position = record.offset + (elements.lowerBound - record.start) * stride
    var target = UnsafeMutableRawPointer(target)
    let end = position + elements.count * stride
    while position < end {
      let number = position / ShardFormat.blockBytes
      guard try load(number) else {
        throw CheckpointError.damaged(
          path, "\(record.slab): elements \(elements) do not match their checksum")
      }
      let offset = position - number * ShardFormat.blockBytes
      let count = min(end - position, block.count - offset)
      block.withUnsafeBytes { target.copyMemory(from: $0.baseAddress! + offset, byteCount: count) }
      position += count
      target += count
    }
  }

  /// Makes a block current; false if it does not match its checksum.
  private func load(_ number: Int) throws -> Bool {
    if number == blockNumber { return true }
    blockNumber = -1
    let range = bytes(of: number)
    block = try Self.read(
      descriptor, path, dataStart + range.lowerBound..<dataStart + range.upperBound)
    guard block.withUnsafeBytes({ CRC32C.of($0) }) == sums[number] else { return false }
    blockNumber = number
    return true
  }

  private func bytes(of block: Int) -> Range<Int> {
    let start = block * ShardFormat.blockBytes
    return start..<min(start + ShardFormat.blockBytes, dataBytes)
  }

  /// Reads all data; returns the byte ranges of the blocks that do not match their checksums.
  func damagedBlocks() throws -> [Range<Int>] {
    try sums.indices.filter { try !load($0) }.map { bytes(of: $0) }
  }

  /// What `CheckpointManifest.File.crc32c` must be.
  func contentChecksum() throws -> UInt32 {
    var crc: UInt32 = 0
    for range in [0..<dataStart - 4, dataStart..<dataStart + dataBytes] {
      for start in stride(from: range.lowerBound, to: range.upperBound, by: ShardFormat.blockBytes)
      {
        let part = try Self.read(
          descriptor, path, start..<min(range.upperBound, start + ShardFormat.blockBytes))
        crc = part.withUnsafeBytes { CRC32C.of($0, continuing: crc) }
      }
    }
    return crc
  }
}
