/// Conversion of stored elements to `Float` and back. Little-endian, as the machine is.
enum SafeTensorConversion {
  /// Converts `count` elements; `source` need not be aligned.
  static func toFloat(
    _ type: SafeTensorType, _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    switch type {
    case .f32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: 4 * count)
    case .bf16: convert(source, target, count) { (x: UInt16) in Float(bitPattern: UInt32(x) << 16) }
    case .f16: convert(source, target, count) { (x: Float16) in Float(x) }
    case .f64: convert(source, target, count) { (x: Double) in Float(x) }
    case .i64: convert(source, target, count) { (x: Int64) in Float(x) }
    case .i32: convert(source, target, count) { (x: Int32) in Float(x) }
    case .i8: convert(source, target, count) { (x: Int8) in Float(x) }
    case .u8: convert(source, target, count) { (x: UInt8) in Float(x) }
    default: preconditionFailure("\(type) is not readable")
    }
  }

  @inline(__always)
  private static func convert<Stored: BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int,
    _ value: (Stored) -> Float
  ) {
    let stride = MemoryLayout<Stored>.stride
    for index in 0..<count {
      target[index] = value(source.loadUnaligned(fromByteOffset: index * stride, as: Stored.self))
    }
  }

  /// The upper half of a `Float`, rounded to the nearest, ties to even; a NaN stays one.
  static func toBFloat16(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    for index in 0..<count {
      let bits = source[index].bitPattern
      let rounded = (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16
      // Rounding could carry a NaN's payload over into infinity or zero: it is made quiet instead.
      let quiet = (bits >> 16) | 0x40
      let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
      target[index] = UInt16(truncatingIfNeeded: isNaN ? quiet : rounded)
    }
  }
}
