import CISAL

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): guards stored blocks against flipped bits.
public enum CRC32C {
  /// The checksum of `bytes`; `continuing` is the checksum of the bytes that came before them, so
  /// that `of(b, continuing: of(a))` is the checksum of `a` followed by `b`.
  public static func of(_ bytes: UnsafeRawBufferPointer, continuing: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return continuing }
    var state = ~continuing
    var done = 0
    while done < bytes.count {
      // The library's length is a C `int`.
      let length = min(bytes.count - done, 1 << 30)
      let start = UnsafeMutableRawPointer(mutating: base + done)
      state = crc32_iscsi(start.assumingMemoryBound(to: UInt8.self), Int32(length), state)
      done += length
    }
    return ~state
  }
}
