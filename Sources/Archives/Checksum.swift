import CISAL

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) at memory speed: guards stored blocks against flipped
/// bits.
public struct CRC32C: Sendable, Equatable {
  /// The checksum of the bytes so far. "123456789" gives e3069283.
  public private(set) var value: UInt32 = 0

  public init() {}

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    value = Self.of(bytes, continuing: value)
  }

  /// The checksum of `bytes`; `continuing` is the checksum of the bytes that came before them, so
  /// that `of(b, continuing: of(a))` is the checksum of `a` followed by `b`.
  public static func of(_ bytes: UnsafeRawBufferPointer, continuing: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return continuing }
    // The library takes and returns the register without the inversions that the standard puts
    // around it, and its length is a C `int`.
    var register = ~continuing
    var done = 0
    while done < bytes.count {
      let length = min(bytes.count - done, 1 << 30)
      let start = UnsafeMutableRawPointer(mutating: base + done)
      register = crc32_iscsi(start.assumingMemoryBound(to: UInt8.self), Int32(length), register)
      done += length
    }
    return ~register
  }
}
