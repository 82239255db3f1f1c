import Glibc

/// What a random number is for. Two purposes never share a stream.
public enum Purpose: UInt64, Sendable {
  case attackStart = 1
  case attackTarget = 2
  case permutation = 20
  case crop = 21
  case flip = 22
  case randAugment = 23
  case erasingBox = 24
  case erasingNoise = 25
  case mixing = 26
  case dropPath = 27
  case dropout = 28
  case initialization = 30
  case synthesis = 31
  case colorJitter = 32
  case occlusionNoise = 33
  case occlusionChoice = 34
  case patchAugmentation = 35
}

/// A stream of random numbers that is a pure function of its key: element `i` can be asked for at
/// any time, in any order, on any rank.
///
/// No generator state exists, so nothing depends on the number of ranks, on threads or on history,
/// and a checkpoint has nothing to store. A key folds its words with the finaliser of SplitMix64.
public struct RandomKey: Hashable, Sendable {
  private let state: UInt64

  /// - Parameters:
  ///   - epoch: epoch, or the optimizer step for draws made once a step.
  ///   - sample: index in the data set (never a slot, a rank or a position in a batch).
  ///   - restart: number of the repetition of a sample in its epoch, or of a restart.
  ///   - step: attempt or layer, so that a rejection loop cannot shift later draws.
  public init(
    seed: UInt64, _ purpose: Purpose, epoch: Int = 0, sample: Int = 0, restart: Int = 0,
    step: Int = 0
  ) {
    self.init(
      words: seed, purpose.rawValue, UInt64(epoch), UInt64(sample), UInt64(restart), UInt64(step))
  }

  /// The stream of a named thing: a parameter's initial values.
  public init(seed: UInt64, _ purpose: Purpose, name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    self.init(words: seed, purpose.rawValue, 0, hash, 0, 0)
  }

  init(words: UInt64...) {
    state = words.reduce(0) { Self.mix($0 &+ Self.gamma &+ $1) }
  }

  private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Element `index` as 64 random bits.
  public func bits(_ index: Int = 0) -> UInt64 {
    Self.mix(state &+ (UInt64(bitPattern: Int64(index)) &+ 1) &* Self.gamma)
  }

  /// Uniform in [0, 1), 53 bits.
  public func uniform(_ index: Int = 0) -> Double { Double(bits(index) >> 11) * 0x1p-53 }

  /// Uniform in [0, 1), 24 bits.
  public func uniformFloat(_ index: Int = 0) -> Float { Float(bits(index) >> 40) * 0x1p-24 }

  /// Uniform integer in 0 ..< bound.
  public func below(_ bound: Int, _ index: Int = 0) -> Int {
    Int(bits(index).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Standard normal, by Box and Muller on elements 2j and 2j + 1.
  public func normal(_ index: Int = 0) -> Double {
    let pair = index & ~1
    let radius = sqrt(-2 * log(1 - uniform(pair)))
    let angle = 2 * Double.pi * uniform(pair + 1)
    return radius * (index & 1 == 0 ? cos(angle) : sin(angle))
  }

  /// Beta(α, α) for 0 < α ≤ 1: uniform for α = 1, else Jöhnk's rejection from element `start` on.
  public func beta(_ alpha: Double, from start: Int) -> Double {
    if alpha == 1 { return uniform(start) }
    for attempt in 0... {
      let x = pow(uniform(start + 2 * attempt), 1 / alpha)
      let y = pow(uniform(start + 2 * attempt + 1), 1 / alpha)
      if x + y <= 1, x + y > 0 { return x / (x + y) }
    }
    preconditionFailure("an endless loop ended")
  }
}
