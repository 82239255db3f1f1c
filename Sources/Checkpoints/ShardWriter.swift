import Archives
import Foundation

/// Writes one rank's shard file: durable when `write` has returned.
struct ShardWriter {
  let path: String
  let storage: Storage

  /// Returns the file's size and the checksum of its content for the manifest.
  func write(_ slabs: [CheckpointSlab], rank: Int, ranks: Int) throws -> (bytes: Int, crc: UInt32) {
    let table = Self.table(slabs, rank: rank, ranks: ranks)
    let dataBytes = table.records.last?.bytes.upperBound ?? 0
    let file = try DurableFile(path, on: storage)
    let header = try Self.header(table, dataBytes)
    try header.withUnsafeBytes { try file.write($0) }
    var crc = header.dropLast(4).withUnsafeBytes { CRC32C.of($0) }
    let sums = try writeData(slabs, in: file, crc: &crc)
    try Self.trailer(sums, dataBytes).withUnsafeBytes { try file.write($0) }
    try file.commit()
    return (file.count, crc)
  }

  /// The table in canonical order, so that the same state gives the same bytes.
  private static func table(_ slabs: [CheckpointSlab], rank: Int, ranks: Int) -> ShardFormat.Table {
    var records: [ShardFormat.Record] = []
    var offset = 0
    for slab in slabs {
      for piece in slab.pieces where !piece.elements.isEmpty {
        let record = ShardFormat.Record(
          slab: slab.name, start: piece.elements.lowerBound, count: piece.elements.count,
          offset: offset)
        records.append(record)
        offset = record.bytes.upperBound
      }
    }
    return ShardFormat.Table(rank: rank, ranks: ranks, records: records)
  }

  private static func header(_ table: ShardFormat.Table, _ dataBytes: Int) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = Array(try encoder.encode(table))
    let length = (ShardFormat.fixedHeaderBytes + json.count + 4 + 63) / 64 * 64
    var bytes = ShardFormat.magic
    bytes.append(littleEndian: ShardFormat.version)
    bytes.append(littleEndian: UInt32(length))
    bytes.append(littleEndian: UInt32(json.count))
    bytes.append(littleEndian: UInt32(ShardFormat.blockBytes))
    bytes.append(littleEndian: UInt64(dataBytes))
    bytes += json
    bytes += [UInt8](repeating: 0, count: length - 4 - bytes.count)
    bytes.append(littleEndian: bytes.withUnsafeBytes { CRC32C.of($0) })
    return bytes
  }

  private static func trailer(_ sums: [UInt32], _ dataBytes: Int) -> [UInt8] {
    var list: [UInt8] = []
    for sum in sums { list.append(littleEndian: sum) }
    var footer: [UInt8] = []
    footer.append(littleEndian: UInt64(dataBytes))
    footer.append(littleEndian: UInt32(sums.count))
    footer.append(littleEndian: list.withUnsafeBytes { CRC32C.of($0) })
    footer += ShardFormat.endMagic
    footer.append(littleEndian: footer.withUnsafeBytes { CRC32C.of($0) })
    return list + footer
  }

  /// Writes straight from the slabs; returns one checksum a block.
  private func writeData(_ slabs: [CheckpointSlab], in file: DurableFile, crc: inout UInt32) throws
    -> [UInt32]
  {
    var sums: [UInt32] = []
    var sum: UInt32 = 0
    var filled = 0
    for piece in slabs.flatMap(\.pieces) {
      var rest = UnsafeRawBufferPointer(
        UnsafeBufferPointer(start: piece.pointer, count: piece.elements.count))
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(
          rebasing: rest.prefix(ShardFormat.blockBytes - filled))
        try file.write(part)
        crc = CRC32C.of(part, continuing: crc)
        sum = CRC32C.of(part, continuing: sum)
        filled += part.count
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
        if filled == ShardFormat.blockBytes {
          sums.append(sum)
          (sum, filled) = (0, 0)
        }
      }
    }
    if filled > 0 { sums.append(sum) }
    return sums
  }
}
