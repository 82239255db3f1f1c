import Tensors

/// A keyed permutation of 0 ..< count without an array: a balanced Feistel network of six rounds
/// over the next even number of bits, repeated until the value falls below `count` (cycle walking,
/// fewer than four passes expected). Any place is found in O(1), in either direction.
public struct FeistelPermutation: Sendable {
  public let count: Int
  private let halfBits: UInt64
  private let keys: [RandomKey]

  public init(count: Int, seed: UInt64, cycle: Int) {
    precondition(count > 0, "a permutation of nothing")
    self.count = count
    let bits = Int.bitWidth - (count - 1).leadingZeroBitCount
    halfBits = UInt64(max(1, (bits + 1) / 2))
    keys = (0..<6).map { RandomKey(seed: seed, .permutation, epoch: cycle, step: $0) }
  }

  /// What stands at `position`.
  public func callAsFunction(_ position: Int) -> Int {
    precondition(position >= 0 && position < count, "position \(position) of \(count)")
    var value = UInt64(position)
    repeat { value = forward(value) } while value >= count
    return Int(value)
  }

  /// The position of `element`.
  public func position(of element: Int) -> Int {
    precondition(element >= 0 && element < count, "element \(element) of \(count)")
    var value = UInt64(element)
    repeat { value = backward(value) } while value >= count
    return Int(value)
  }

  private func forward(_ value: UInt64) -> UInt64 {
    var (left, right) = (value >> halfBits, value & (1 << halfBits - 1))
    for key in keys { (left, right) = (right, left ^ round(key, right)) }
    return left << halfBits | right
  }

  private func backward(_ value: UInt64) -> UInt64 {
    var (left, right) = (value >> halfBits, value & (1 << halfBits - 1))
    for key in keys.reversed() { (left, right) = (right ^ round(key, left), left) }
    return left << halfBits | right
  }

  private func round(_ key: RandomKey, _ half: UInt64) -> UInt64 {
    key.bits(Int(half)) >> (64 - halfBits)
  }
}
