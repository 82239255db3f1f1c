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
  /// Holds what was read last; made at the first read and kept.
  private var buffer: [UInt8] = []
  /// The block that is in it.
  private var blockNumber = -1

  /// - Parameter fromDisk: have the system forget what it holds of the file, if it is so kind.
  init(_ path: String, fromDisk: Bool = false) throws {
    self.path = path
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw CheckpointError(.system("cannot open the shard", path: path)) }
    do {
      var status = stat()
      guard fstat(file, &status) == 0 else {
        throw CheckpointError(.system("cannot examine the shard", path: path))
      }
      size = Int(status.st_size)
      if fromDisk { posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) }
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
    try bytes.withUnsafeMutableBytes { try fill($0, from: file, path, at: range.lowerBound) }
    return bytes
  }

  private static func fill(
    _ bytes: UnsafeMutableRawBufferPointer, from file: Int32, _ path: String, at start: Int
  ) throws {
    var done = 0
    while done < bytes.count {
      let count = pread(
        file, bytes.baseAddress! + done, bytes.count - done, off_t(start + done))
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw CheckpointError(.system("cannot read", path: path)) }
      if count == 0 { throw CheckpointError.damaged(path, "the file is cut short") }
      done += count
    }
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
      let count = min(end - position, bytes(of: number).count - offset)
      buffer.withUnsafeBytes { target.copyMemory(from: $0.baseAddress! + offset, byteCount: count) }
      position += count
      target += count
    }
  }

  /// Makes a block current; false if it does not match its checksum.
  private func load(_ number: Int) throws -> Bool {
    if number == blockNumber { return true }
    let range = bytes(of: number)
    let crc = try checksum(dataStart + range.lowerBound..<dataStart + range.upperBound)
    guard crc == sums[number] else { return false }
    blockNumber = number
    return true
  }

  /// Reads at most a block's bytes into the buffer; returns their checksum.
  private func checksum(_ range: Range<Int>, continuing crc: UInt32 = 0) throws -> UInt32 {
    blockNumber = -1
    if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: ShardFormat.blockBytes) }
    return try buffer.withUnsafeMutableBytes { buffer in
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<range.count])
      try Self.fill(part, from: descriptor, path, at: range.lowerBound)
      return CRC32C.of(UnsafeRawBufferPointer(part), continuing: crc)
    }
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
        let end = min(range.upperBound, start + ShardFormat.blockBytes)
        crc = try checksum(start..<end, continuing: crc)
      }
    }
    return crc
  }
}
