import CPixels

/// The taps of one pass of a resize: for every output position the first input position and the
/// weights of the `taps` that follow, with 22 fractional bits. Follows Pillow's `Resample.c` to the
/// bit. Every position has the same number of taps, some of weight 0: a loop of fixed length is not
/// mispredicted at its end.
package final class ResampleWeights {
  struct Key: Equatable {
    var input = 0
    var output = 0
    /// Range of the input that becomes the output; Pillow keeps it in single precision.
    var low: Float = 0
    var high: Float = 0
    var interpolation = Interpolation.bilinear
  }

  static let fractionBits: Int32 = 22
  /// Whether this program was built for a processor that sums products of bytes.
  package static var multipliesDigits: Bool { cpixels_has_byte_dots() != 0 }

  private(set) var key = Key()
  private(set) var taps = 0
  private(set) var first = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
  /// Weight `t` of position `i` is entry `i * taps + t`.
  private(set) var weights = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
  /// How many times four taps there are.
  var quadruples: Int { (taps + 3) / 4 }
  /// A weight is d₀ + 2⁸ d₁ + 2¹⁶ d₂ with -128 ≤ dᵢ ≤ 127. The dᵢ of four taps are the bytes of entry
  /// `(position * quadruples + q) * 3 + i`; those past the last are 0.
  private(set) var digits: [Int32] = []
  private var positionCapacity = 1
  private var weightCapacity = 1

  let hasDigits: Bool

  init(hasDigits: Bool) { self.hasDigits = hasDigits }

  deinit {
    first.deallocate()
    weights.deallocate()
  }

  /// Makes the taps for `key`, unless they are the present ones.
  func prepare(_ key: Key) {
    guard key != self.key else { return }
    self.key = key
    let scale = Double(key.high - key.low) / Double(key.output)
    let filterScale = max(scale, 1)
    let support = key.interpolation.support * filterScale
    taps = min(key.input, Int((2 * support).rounded(.up)) + 1)
    reserve()
    withUnsafeTemporaryAllocation(of: Double.self, capacity: taps) { exact in
      for position in 0..<key.output {
        let center = Double(key.low) + (Double(position) + 0.5) * scale
        let low = max(0, Int(center - support + 0.5))
        let high = min(key.input, Int(center + support + 0.5))
        let start = min(low, key.input - taps)
        first[position] = Int32(start)
        var sum = 0.0
        for tap in 0..<taps {
          let place = start + tap
          let distance = (Double(place) - center + 0.5) * (1 / filterScale)
          exact[tap] =
            place >= low && place < high ? key.interpolation.weight(distance) : 0
          sum += exact[tap]
        }
        quantize(exact, sum: sum, into: weights + position * taps)
      }
    }
    if hasDigits { splitIntoDigits() }
  }

  private func splitIntoDigits() {
    let count = 3 * quadruples * key.output
    if digits.count < count { digits = [Int32](repeating: 0, count: count) }
    digits.withUnsafeMutableBufferPointer { digits in
      var (entry, weight) = (0, weights)
      for _ in 0..<key.output {
        for first in stride(from: 0, to: taps, by: 4) {
          var four = SIMD4<Int32>.zero
          for tap in first..<min(first + 4, taps) { four[tap - first] = weight[tap] }
          let d0 = (four &<< 24) &>> 24
          let rest = (four &- d0) &>> 8
          let d1 = (rest &<< 24) &>> 24
          digits[entry] = Self.bytes(d0)
          digits[entry + 1] = Self.bytes(d1)
          digits[entry + 2] = Self.bytes((rest &- d1) &>> 8)
          entry += 3
        }
        weight += taps
      }
    }
  }

  /// The lowest bytes of the lanes.
  @inline(__always)
  private static func bytes(_ lanes: SIMD4<Int32>) -> Int32 {
    unsafeBitCast(SIMD4<UInt8>(truncatingIfNeeded: lanes), to: Int32.self)
  }

  private func quantize(
    _ exact: UnsafeMutableBufferPointer<Double>, sum: Double,
    into weights: UnsafeMutablePointer<Int32>
  ) {
    let one = Double(Int32(1) << Self.fractionBits)
    for tap in 0..<taps {
      let weight = sum == 0 ? exact[tap] : exact[tap] / sum
      weights[tap] = Int32(weight < 0 ? weight * one - 0.5 : weight * one + 0.5)
    }
  }

  private func reserve() {
    if key.output > positionCapacity {
      first.deallocate()
      first = .allocate(capacity: key.output)
      positionCapacity = key.output
    }
    if key.output * taps > weightCapacity {
      weights.deallocate()
      weights = .allocate(capacity: key.output * taps)
      weightCapacity = key.output * taps
    }
  }
}
