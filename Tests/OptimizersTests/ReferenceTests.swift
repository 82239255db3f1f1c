import Autograd
import Foundation
import Optimizers
import Tensors
import TestSupport
import Testing

/// Against torch and timm (`Tests/Fixtures/Optimizers/generate.py`).
@Suite struct ReferenceTests {
  private struct Golden: Decodable {
    struct Values: Decodable { let weight, bias: [Float] }
    let weight, bias: [Float]
    let gradients: [Values]
    let adamw, sgd, nesterov, plain, lamb: [Values]
  }

  private func golden() throws -> Golden {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/Optimizers/optimizers.json")
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  /// Few roundings of values near 1 a step, in another order than torch's: 4 steps, 1e-6 in all.
  private func verify(
    _ optimizer: any Optimizer, _ golden: Golden, _ expected: [Golden.Values]
  ) throws {
    var layout = ParameterLayout()
    layout.append("head.weight", [5, 7])
    layout.append("head.bias", [9])
    let slab = Slab(layout, optimizer)
    slab.fill(slab.parameters, "head.weight", golden.weight)
    slab.fill(slab.parameters, "head.bias", golden.bias)
    for (index, gradient) in golden.gradients.enumerated() {
      // Half the gradient at twice the scale: both are exact, so the scale is tested as well.
      slab.fill(slab.gradients, "head.weight", gradient.weight.map { $0 / 2 })
      slab.fill(slab.gradients, "head.bias", gradient.bias.map { $0 / 2 })
      try slab.update(optimizer, step: index + 1, scale: 2)
      for (name, values) in [
        ("head.weight", expected[index].weight), ("head.bias", expected[index].bias),
      ] {
        for (ours, theirs) in zip(slab.read(slab.parameters, name), values) {
          #expect(isClose(ours, theirs, absolute: 1e-6), "step \(index + 1), \(name)")
        }
      }
    }
  }

  @Test func adamWIsTorchs() throws {
    let golden = try golden()
    var optimizer = AdamW()
    optimizer.learningRate = 1e-2
    try verify(optimizer, golden, golden.adamw)
  }

  @Test func sgdIsTorchs() throws {
    let golden = try golden()
    var optimizer = SGD()
    optimizer.weightDecay = 0.01
    try verify(optimizer, golden, golden.sgd)
    optimizer.nesterov = true
    try verify(optimizer, golden, golden.nesterov)
    optimizer.nesterov = false
    optimizer.momentum = 0
    try verify(optimizer, golden, golden.plain)
  }

  @Test func lambIsTimms() throws {
    let golden = try golden()
    var optimizer = LAMB()
    optimizer.learningRate = 0.01
    try verify(optimizer, golden, golden.lamb)
  }

  /// The vector of the methods reference: a parameter whose gradient is 0 still decays.
  @Test func adamWMovesAVectorAsWorkedOutByHand() throws {
    var layout = ParameterLayout()
    layout.append("weight", [1, 3])
    let optimizer = AdamW()
    let slab = Slab(layout, optimizer)
    slab.fill(slab.parameters, "weight", [1, -2, 0.5])
    let gradients: [[Float]] = [[0.1, -0.2, 0], [0.05, 0.3, -0.4]]
    let expected: [[Float]] = [
      [0.998950005, -1.998899937, 0.499974996], [0.997967899, -1.999047637, 0.500694156],
    ]
    for step in 1...2 {
      slab.fill(slab.gradients, "weight", gradients[step - 1])
      try slab.update(optimizer, step: step)
      for (ours, theirs) in zip(slab.read(slab.parameters, "weight"), expected[step - 1]) {
        // Two units in the last place of a number near 2.
        #expect(isClose(ours, theirs, absolute: 2.4e-7))
      }
    }
  }
}
