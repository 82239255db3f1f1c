import Tensors

/// The machine's own matrix-product rate: the ceiling that every other figure is held against.
public enum ProductRate {
  /// Billions of floating-point operations a second of processor time of a square product, the best
  /// of `runs`. (The product has one thread: on a core of its own this is wall time.)
  public static func measure(
    _ products: any MatrixProducts, side: Int = 1024, runs: Int = 8, pool: BufferPool
  ) -> Double {
    let multiply = products.probe(side: side, pool: pool)
    var best = Double.infinity
    for _ in 0..<runs {
      let start = Machine.processorSeconds
      multiply()
      best = min(best, Machine.processorSeconds - start)
    }
    let cube = Double(side) * Double(side) * Double(side)
    return 2 * cube / best / 1e9
  }
}

extension Duration {
  public var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
