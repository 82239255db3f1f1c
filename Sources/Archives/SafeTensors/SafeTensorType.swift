/// Element types of the safetensors format by their codes.
public struct SafeTensorType: Hashable, Sendable, CustomStringConvertible {
  public let code: String
  /// Bits of one element.
  public let bits: Int

  private init(_ code: String, _ bits: Int) {
    self.code = code
    self.bits = bits
  }

  public static let f64 = SafeTensorType("F64", 64)
  public static let f32 = SafeTensorType("F32", 32)
  public static let f16 = SafeTensorType("F16", 16)
  public static let bf16 = SafeTensorType("BF16", 16)
  public static let i64 = SafeTensorType("I64", 64)
  public static let i32 = SafeTensorType("I32", 32)
  public static let i8 = SafeTensorType("I8", 8)
  public static let u8 = SafeTensorType("U8", 8)

  /// Whether values of this type can be had as `Float`.
  public var isReadable: Bool { Self.readable.contains(self) }

  public var description: String { code }

  private static let readable: Set<SafeTensorType> = [f64, f32, f16, bf16, i64, i32, i8, u8]

  /// Types that a file may hold beside those that can be read.
  private static let others: [SafeTensorType] = [
    .init("BOOL", 8), .init("I16", 16), .init("U16", 16), .init("U32", 32), .init("U64", 64),
    .init("C64", 64), .init("F8_E4M3", 8), .init("F8_E5M2", 8), .init("F8_E8M0", 8),
    .init("F8_E4M3FNUZ", 8), .init("F8_E5M2FNUZ", 8), .init("F6_E2M3", 6), .init("F6_E3M2", 6),
    .init("F4", 4),
  ]

  private static let byCode = Dictionary(
    uniqueKeysWithValues: (readable + others).map { ($0.code, $0) })

  /// The type of a code, or nil if the format has none.
  public init?(code: String) {
    guard let type = Self.byCode[code] else { return nil }
    self = type
  }

  /// Bytes of `shape`, or nil if the number does not fit or ends inside a byte.
  func bytes(of shape: [Int]) -> Int? {
    guard let total = (shape + [bits]).checkedProduct, total % 8 == 0 else { return nil }
    return total / 8
  }
}
