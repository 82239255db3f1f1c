import CCrypto
import CISAL

/// CRC32C (Castagnoli) of bytes in pieces, at memory speed. "123456789" gives e3069283.
public struct CRC32C: Sendable, Equatable {
  // ISA-L takes and returns the register without the inversions that the standard puts around it.
  private var register: UInt32 = 0xFFFF_FFFF

  public init() {}

  /// Continues from the value of the bytes before, as returned by `value`.
  public init(resuming value: UInt32) { register = ~value }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // The library counts in Int32.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let start = UnsafeMutableRawPointer(mutating: piece.baseAddress!)
      register = crc32_iscsi(
        start.assumingMemoryBound(to: UInt8.self), Int32(piece.count), register)
      rest = rest.dropFirst(piece.count)
    }
  }

  public var value: UInt32 { ~register }

  public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = CRC32C()
    crc.update(bytes)
    return crc.value
  }
}

/// SHA-256 of bytes in pieces.
public final class SHA256Digest {
  private let context: OpaquePointer

  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto has no memory or no SHA-256")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  public func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    EVP_DigestUpdate(context, start, bytes.count)
  }

  public func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The 32 bytes of the digest; call once, at the end.
  public func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest
  }

  /// The digest as 64 hexadecimal digits; call once, at the end.
  public func finishHexadecimal() -> String { Archives.hexadecimal(finish()) }

  public static func hexadecimal(of text: String) -> String {
    let digest = SHA256Digest()
    digest.update(text)
    return digest.finishHexadecimal()
  }
}

/// Two lower-case digits a byte.
public func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
