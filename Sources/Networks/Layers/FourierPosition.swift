import Autograd
import Glibc
import Tensors

/// A position embedding that is a learned linear map of fixed waves: rows and columns of the grid,
/// scaled to a full turn, each as 16 sines and 16 cosines (XCiT; El-Nouby et al., 2021).
final class FourierPosition {
  private let table: Tensor
  private let projection: Dense

  private static let waves = 32

  init(_ scope: Scope, side: Int, width: Int, pool: BufferPool) {
    table = Self.table(side: side, from: pool)
    projection = Dense(
      scope["token_projection"], inputs: 2 * Self.waves, outputs: width,
      weight: .fanIn(2 * Self.waves), bias: .fanIn(2 * Self.waves), isConvolution: true)
  }

  /// x with every token's position added.
  func callAsFunction(addedTo x: Variable, _ cx: Context) -> Variable {
    cx.addToEveryImage(projection(Variable(table), cx), to: x)
  }

  /// `[side², 64]`: the waves of the row, then of the column. Coordinate i, from 1, is
  /// 2π i / (side + 10⁻⁶); wave k divides it by 10000^(2⌊k/2⌋/32), even k are sines.
  private static func table(side: Int, from pool: BufferPool) -> Tensor {
    let table = Tensor([side * side, 2 * waves], from: pool)
    for token in 0..<side * side {
      for (axis, place) in [token / side, token % side].enumerated() {
        let angle = 2 * Double.pi * Double(place + 1) / (Double(side) + 1e-6)
        for wave in 0..<waves {
          let scaled = angle / pow(10_000, Double(wave & ~1) / Double(waves))
          table.pointer[(token * 2 + axis) * waves + wave] =
            Float(wave & 1 == 0 ? sin(scaled) : cos(scaled))
        }
      }
    }
    return table
  }
}
