/// The pieces of channel attention on one image's `[tokens, width]`, whose columns are heads side by
/// side: a key is one number for a token and a head.
public struct ChannelGating {
  public let tokens: Int
  public let width: Int
  public let heads: Int
  private let depth: Int

  public init(tokens: Int, width: Int, heads: Int) {
    precondition(width % heads == 0, "\(heads) heads do not divide \(width) channels")
    self.tokens = tokens
    self.width = width
    self.heads = heads
    depth = width / heads
  }

  /// Means over the channels of a head: `[tokens, heads]`.
  public func means(_ keys: UnsafePointer<Float>, into means: UnsafeMutablePointer<Float>) {
    let share = 1 / Float(depth)
    for cell in 0..<tokens * heads {
      means[cell] = share * Elementwise.sum(keys + cell * depth, count: depth)
    }
  }

  /// z_c ← z_c + Σ over tokens of q_c · mean of the head
  public func mix(
    _ queries: UnsafePointer<Float>, _ means: UnsafePointer<Float>,
    addingTo z: UnsafeMutablePointer<Float>
  ) {
    for token in 0..<tokens {
      for head in 0..<heads {
        let cell = token * heads + head
        Elementwise.add(
          queries + cell * depth, times: means[cell], to: z + head * depth, count: depth)
      }
    }
  }

  /// dq_c ← dq_c + dz_c · mean of the head, for every token
  public func addQueryGradient(
    _ dz: UnsafePointer<Float>, _ means: UnsafePointer<Float>,
    to dq: UnsafeMutablePointer<Float>
  ) {
    for token in 0..<tokens {
      for head in 0..<heads {
        let cell = token * heads + head
        Elementwise.add(dz + head * depth, times: means[cell], to: dq + cell * depth, count: depth)
      }
    }
  }

  /// dk ← dk + (Σ over the head's channels of dz_c q_c) / depth, for every channel of the head
  public func addKeyGradient(
    _ dz: UnsafePointer<Float>, _ queries: UnsafePointer<Float>,
    to dk: UnsafeMutablePointer<Float>
  ) {
    let share = 1 / Float(depth)
    for token in 0..<tokens {
      for head in 0..<heads {
        let start = (token * heads + head) * depth
        let d = share * dot(dz + head * depth, queries + start)
        for i in start..<start + depth { dk[i] += d }
      }
    }
  }

  /// Every head's value for each of its channels.
  public func spread(
    _ perHead: UnsafePointer<Float>, into perChannel: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<width { perChannel[channel] = perHead[channel / depth] }
  }

  /// total_h ← total_h + Σ over rows and the head's channels of a b
  public func addHeadProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, rows: Int,
    to total: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      for head in 0..<heads {
        let start = (row * heads + head) * depth
        total[head] += dot(a + start, b + start)
      }
    }
  }

  /// d ← d ∘ factor ∘ σ (1 - σ), row by row
  public func throughSigmoid(
    _ d: UnsafeMutablePointer<Float>, _ sigma: UnsafePointer<Float>,
    _ factor: UnsafePointer<Float>, rows: Int
  ) {
    for row in 0..<rows {
      let (d, sigma) = (d + row * width, sigma + row * width)
      for i in 0..<width { d[i] *= factor[i] * sigma[i] * (1 - sigma[i]) }
    }
  }

  private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
    var sum = Lanes.zero
    forEachLanes(depth) { i, n in sum.addProduct(a.part(i, n), b.part(i, n)) }
    return sum.total
  }
}
