import Tensors

/// Widths around the sixteen lanes, around two of them, and those of real models.
let raggedWidths = [1, 7, 15, 16, 17, 31, 33, 49, 65, 192, 197]

/// Numbers that repeat, in one block with a guard behind it, so that a kernel that writes past its
/// end is found.
struct Samples {
  static let guardValue: Float = 12_345
  let storage: Tensor
  let count: Int

  init(_ count: Int, seed: UInt64, scale: Float = 1, from pool: BufferPool) {
    self.count = count
    let key = RandomKey(seed: seed, .synthesis)
    let values = (0..<count).map { (2 * key.uniformFloat($0) - 1) * scale }
    storage = Tensor(
      [count + 32], values + Array(repeating: Self.guardValue, count: 32), from: pool)
  }

  var pointer: UnsafeMutablePointer<Float> { storage.pointer }
  var values: [Float] { Array(storage.array[..<count]) }
  var isGuardIntact: Bool { storage.array[count...].allSatisfy { $0 == Self.guardValue } }
}

/// The largest difference, and infinity where one is NaN and the other is not.
func worst(_ values: [Float], _ expected: [Double]) -> Double {
  zip(values, expected).reduce(0) { worst, pair in
    let difference = abs(Double(pair.0) - pair.1)
    return difference.isNaN
      ? (Double(pair.0).isNaN && pair.1.isNaN ? worst : .infinity)
      : max(worst, difference)
  }
}
