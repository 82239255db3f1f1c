import Archives
import Autograd
import Collectives

/// Weights that should be equal on all ranks and are not. Exit code 77.
public struct ReplicaError: Error, Equatable, CustomStringConvertible {
  /// The first parameter that differs; empty if it is the gaps between parameters.
  public let parameter: String
  /// The ranks that hold other bits than most do.
  public let ranks: [Int]
  public let step: Int

  public var description: String {
    let list = ranks.map(String.init).joined(separator: ", ")
    let place = parameter.isEmpty ? "the padding of the slab" : parameter
    return "step \(step): \(place) on rank\(ranks.count > 1 ? "s" : "") \(list) differs from the "
      + "other ranks. Check the memory of that node, then resume from the last checkpoint."
  }
}

/// Compares the replicas of the weights by checksum: a few bytes a rank, memory speed.
public struct ReplicaCheck {
  private let layout: ParameterLayout
  private let communicator: any Communicator

  public init(_ layout: ParameterLayout, _ communicator: any Communicator) {
    self.layout = layout
    self.communicator = communicator
  }

  /// Throws `ReplicaError` on all ranks if a bit of `values`, a slab of the layout, differs.
  public func check(_ values: UnsafePointer<Float>, step: Int) throws {
    if communicator.size == 1 { return }
    let whole = try gathered(values, 0..<layout.count)
    if whole.allSatisfy({ $0 == whole[0] }) { return }
    for entry in layout.entries {
      let checksums = try gathered(values, entry.range)
      if checksums.allSatisfy({ $0 == checksums[0] }) { continue }
      throw ReplicaError(parameter: entry.name, ranks: Self.minority(checksums), step: step)
    }
    throw ReplicaError(parameter: "", ranks: Self.minority(whole), step: step)
  }

  private func gathered(_ values: UnsafePointer<Float>, _ range: Range<Int>) throws -> [UInt32] {
    let bytes = UnsafeRawBufferPointer(
      UnsafeBufferPointer(start: values + range.lowerBound, count: range.count))
    let mine = [CRC32C.of(bytes)]
    var all = [UInt32](repeating: 0, count: communicator.size)
    let counts = all.map { _ in MemoryLayout<UInt32>.size }
    try all.withUnsafeMutableBytes { all in
      try mine.withUnsafeBytes { try communicator.allGather($0, into: all, counts: counts) }
    }
    return all
  }

  /// Ranks that differ from the most frequent value; of equally frequent ones the first rank's.
  private static func minority(_ checksums: [UInt32]) -> [Int] {
    var counts: [UInt32: Int] = [:]
    for checksum in checksums { counts[checksum, default: 0] += 1 }
    let most = counts.values.max() ?? 0
    let usual = checksums.first { counts[$0] == most }
    return checksums.indices.filter { checksums[$0] != usual }
  }
}
