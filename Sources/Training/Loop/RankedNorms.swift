import Collectives
import Optimizers

/// Sums over whole tensors when their slices lie on several ranks. Every entry is non-zero on one
/// rank at most, so adding the ranks' arrays is exact in any order.
final class RankedNorms: ParameterNorms {
  private let communicator: any Communicator
  private let marks: Marks
  private var gathered: [Double] = []

  init(_ communicator: any Communicator, marks: Marks = .none) {
    self.communicator = communicator
    self.marks = marks
  }

  func combine(_ partialSums: UnsafeMutableBufferPointer<Double>) throws {
    guard communicator.size > 1 else { return }
    marks(.norms)
    defer { marks(.update) }
    let (count, ranks) = (partialSums.count, communicator.size)
    if gathered.count != count * ranks { gathered = Array(repeating: 0, count: count * ranks) }
    let bytes = count * MemoryLayout<Double>.stride
    try gathered.withUnsafeMutableBytes { all in
      try communicator.allGather(
        UnsafeRawBufferPointer(partialSums), into: all,
        counts: Array(repeating: bytes, count: ranks))
    }
    for i in 0..<count {
      partialSums[i] = (0..<ranks).reduce(0) { $0 + gathered[$1 * count + i] }
    }
  }
}

extension Duration {
  package var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
