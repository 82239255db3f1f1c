import Autograd
import Datasets
import Foundation
import Networks
import Objectives
import Tensors

/// A classifier whose logits are its parameters: what an objective gives the slab is the gradient
/// with respect to the logits.
final class ScriptedModel: Classifier {
  let description: ClassifierDescription
  let multiplyAdds = 0
  let fixedPositions: Tensor? = nil
  let parameters: ParameterSlab
  let pool = BufferPool(poisonsReturned: true)
  private let heads: [(weight: Parameter, bias: Parameter)]
  private let rows: Int
  private let classes: Int

  /// - Parameter heads: one or two tables `[rows][classes]`.
  init(_ heads: [[Float]]...) {
    rows = heads[0].count
    classes = heads[0][0].count
    description = ClassifierDescription(
      channels: 1, side: 1, classes: classes, mean: [0], deviation: [1])
    let declarations = ParameterDeclarations()
    self.heads = heads.indices.map { [rows, classes] in
      let scope = declarations.root["head\($0)"]
      return (
        scope.parameter("weight", [classes, rows], .constant(0)),
        scope.parameter("bias", [classes], .constant(0))
      )
    }
    parameters = ParameterSlab(declarations, seed: 1, from: pool)
    for (head, table) in zip(self.heads, heads) {
      let weight = parameters[head.weight].pointer
      for row in 0..<rows { for c in 0..<classes { weight[c * rows + row] = table[row][c] } }
    }
  }

  /// Logits are I Wᵀ.
  func callAsFunction(_ images: Variable, _ cx: Context) -> Logits {
    let identity = Tensor.zeros([rows, rows], from: pool)
    for row in 0..<rows { identity.pointer[row * rows + row] = 1 }
    let results = heads.map { cx.linear(Variable(identity), weight: $0.weight, bias: $0.bias) }
    return Logits(classes: results[0], distilled: results.count > 1 ? results[1] : nil)
  }

  var frozen: FrozenModel { FrozenModel(self, parameters) }

  /// The loss of one batch, and the gradient of it for each head `[rows][classes]`.
  func learn(
    _ objective: some Loss, labels: [MixedLabel], teacher: ScriptedModel? = nil,
    sampleWeight: Float
  ) throws -> (loss: Double, gradients: [[[Float]]]) {
    let slab = Tensor.zeros([parameters.layout.count], from: pool)
    let batch = Batch(
      images: .zeros([rows, 1, 1, 1], from: pool), labels: labels, samples: Array(0..<rows),
      repeats: Array(repeating: 0, count: rows))
    let pass = Pass(
      batch, of: Moment(step: 0, stepsPerEpoch: 1, totalSteps: 1), seed: 1,
      sampleWeight: sampleWeight, model: self, parameters: parameters, teacher: teacher?.frozen,
      products: OpenBLASProducts(), pool: pool, gradients: slab.pointer)
    let result = try objective.accumulate(pass)
    precondition(result.samples == rows)
    let gradients = heads.map { head in
      (0..<rows).map { row in
        (0..<classes).map { slab.pointer[head.weight.range.lowerBound + $0 * rows + row] }
      }
    }
    return (result.loss, gradients)
  }
}

/// softmax(z / τ) in double precision.
func softmax(_ z: [Float], temperature: Double = 1) -> [Double] {
  let top = Double(z.max() ?? 0)
  let powers = z.map { exp((Double($0) - top) / temperature) }
  return powers.map { $0 / powers.reduce(0, +) }
}
