extension Communicator {
  /// Every rank's values, rank by rank, on all of them; ranks may give different numbers of them.
  public func allGather<Value: BitwiseCopyable>(_ values: [Value]) throws -> [Value] {
    try values.withUnsafeBytes { try allGather($0) }.flatMap { Self.values(in: $0) }
  }

  /// The same on rank `root`; nothing elsewhere.
  public func gather<Value: BitwiseCopyable>(_ values: [Value], to root: Int) throws -> [Value] {
    try values.withUnsafeBytes { try gather($0, to: root) }.flatMap { Self.values(in: $0) }
  }

  private static func values<Value: BitwiseCopyable>(in bytes: [UInt8]) -> [Value] {
    let stride = MemoryLayout<Value>.stride
    return bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / stride).map {
        bytes.loadUnaligned(fromByteOffset: $0 * stride, as: Value.self)
      }
    }
  }
}
