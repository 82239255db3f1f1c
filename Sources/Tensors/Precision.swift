import CLanes

/// The number format in which a model's matrix products take their operands. Sums, weights and all
/// that lies between products are in single precision either way.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case f32
  case bf16

  /// The products of this format on this machine.
  public var products: any MatrixProducts {
    switch self {
    case .f32: OpenBLASProducts()
    case .bf16: Self.multipliesBFloat16 ? BFloat16Products() : RoundedProducts()
    }
  }

  /// Whether this program was built for a processor with instructions for bfloat16.
  public static var multipliesBFloat16: Bool { clanes_has_dot_pairs() != 0 }

  /// Products of fewer rows, such as the head's, take their operands as they are: rounding would win
  /// no time.
  static let fewestRoundedRows = 32

  /// What a user who chose this format must know about this machine; empty if nothing.
  public var advice: String {
    guard self == .bf16, !Self.multipliesBFloat16 else { return "" }
    return "precision bf16: this program was built for a processor without AVX512-BF16; operands "
      + "are rounded and multiplied in f32, which is no faster than precision f32"
  }
}
