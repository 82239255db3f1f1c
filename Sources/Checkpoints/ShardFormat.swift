/// One rank's part of a checkpoint, `shard_rrrrr-of-PPPPP.vdc`, little endian:
///
///     header   magic "vitdist\0", version u32, header bytes u32, table bytes u32, block bytes u32,
///              data bytes u64, table (JSON), zeros, CRC-32C of all that u32
///     data     the records' elements, f32, end to end
///     sums     CRC-32C of each block of the data, u32
///     footer   data bytes u64, number of sums u32, CRC-32C of the sums u32, magic "vdc-end\0",
///              CRC-32C of the footer so far u32
///
/// The header is a multiple of 64 bytes long. Every byte of the file is under one CRC.
enum ShardFormat {
  static let magic = Array("vitdist\0".utf8)
  static let endMagic = Array("vdc-end\0".utf8)
  static let version: UInt32 = 1
  static let blockBytes = 1 << 20
  static let fixedHeaderBytes = 32
  static let footerBytes = 28

  /// Elements of one slab that lie together in the data.
  struct Record: Codable, Equatable {
    let slab: String
    /// First element in the slab, and how many.
    let start: Int
    let count: Int
    /// First byte in the data.
    let offset: Int
    var elements: Range<Int> { start..<start + count }
    var bytes: Range<Int> { offset..<offset + count * MemoryLayout<Float>.stride }
  }

  struct Table: Codable, Equatable {
    let rank: Int
    let ranks: Int
    let records: [Record]
  }

  static func fileName(rank: Int, ranks: Int) -> String {
    "shard_\(padded(rank, to: 5))-of-\(padded(ranks, to: 5)).vdc"
  }

  static func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  static func blocks(_ dataBytes: Int) -> Int { (dataBytes + blockBytes - 1) / blockBytes }
}

extension [UInt8] {
  mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }

  /// The number at a byte position, which must be inside.
  func number<Number: FixedWidthInteger>(_ type: Number.Type, at position: Int) -> Number {
    withUnsafeBytes {
      Number(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Number.self))
    }
  }
}
