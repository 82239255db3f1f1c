import CCrypto

/// SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
public final class SHA256Digest {
  private let context: OpaquePointer

  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto offers no SHA-256")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  public func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    let status = EVP_DigestUpdate(context, base, bytes.count)
    precondition(status == 1, "SHA-256 updated after it was finished")
  }

  public func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The 32 bytes of the digest as 64 lower-case hexadecimal digits; ends the stream.
  public func finish() -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    let status = EVP_DigestFinal_ex(context, &bytes, nil)
    precondition(status == 1, "SHA-256 finished twice")
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The digest of one text.
  public static func of(_ text: String) -> String {
    let digest = SHA256Digest()
    digest.update(text)
    return digest.finish()
  }
}
