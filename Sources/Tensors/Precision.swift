import CLanes

/// The number format in which a model's matrix products take their operands. Sums, weights and all
/// that lies between products are in single precision either way.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case f32
  case bf16

  /// The products of this format on this machine, which take what space they need from a pool.
  public func products(from pool: BufferPool) -> any MatrixProducts {
    switch self {
    case .f32: Self.hasWideRegisters ? TiledProducts(from: pool) : OpenBLASProducts()
    case .bf16: Self.multipliesBFloat16 ? BFloat16Products(from: pool) : RoundedProducts(from: pool)
    }
  }

  /// Whether this program was built for a processor with instructions for bfloat16.
  public static var multipliesBFloat16: Bool { clanes_has_dot_pairs() != 0 }

  /// Whether it was built for one with a matrix unit for them, as AMX is.
  public static var hasMatrixUnit: Bool { clanes_has_matrix_unit() != 0 }

  /// Whether it was built for one with the registers of AVX-512, for which tiles are cut.
  public static var hasWideRegisters: Bool { clanes_has_wide_registers() != 0 }

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
