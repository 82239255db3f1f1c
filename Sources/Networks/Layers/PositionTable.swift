import Glibc
import Tensors

/// Fixed position embeddings.
enum PositionTable {
  /// PE(pos, 2j) = sin(pos / 10000^(2j/width)), PE(pos, 2j+1) = cos of the same
  /// (Vaswani et al., 2017): `[1, tokens, width]`.
  static func sinusoidal(tokens: Int, width: Int, from pool: BufferPool) -> Tensor {
    let table = Tensor([1, tokens, width], from: pool)
    for position in 0..<tokens {
      for feature in 0..<width {
        let exponent = Double(feature & ~1) / Double(width)
        let angle = Double(position) / pow(10_000, exponent)
        table.pointer[position * width + feature] =
          Float(feature & 1 == 0 ? sin(angle) : cos(angle))
      }
    }
    return table
  }
}
