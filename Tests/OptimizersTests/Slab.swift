import Autograd
import Configuration
import Optimizers
import Tensors

/// Slabs and a rank's share of them, for tests.
struct Slab {
  let layout: ParameterLayout
  let owned: Ownership
  let parameters, gradients: Tensor
  let states: [Tensor]

  init(
    _ layout: ParameterLayout, _ optimizer: any Optimizer, ranges: [Range<Int>]? = nil,
    groups: DecayGroups = DecayGroups()
  ) {
    let pool = BufferPool()
    self.layout = layout
    owned = Ownership(of: layout, ranges: ranges, groups: groups)
    parameters = .zeros([layout.count], from: pool)
    gradients = .zeros([layout.count], from: pool)
    let count = owned.stateCount
    states = optimizer.stateNames.map { _ in .zeros([count], from: pool) }
  }

  func fill(_ tensor: Tensor, _ name: String, _ values: [Float]) {
    for (i, value) in values.enumerated() { tensor.pointer[layout[name]!.offset + i] = value }
  }

  func read(_ tensor: Tensor, _ name: String) -> [Float] {
    layout[name]!.range.map { tensor.pointer[$0] }
  }

  func update(
    _ optimizer: any Optimizer, step: Int, rate: Double? = nil, scale: Float = 1,
    norms: any ParameterNorms = LocalParameterNorms()
  ) throws {
    try optimizer.update(
      OptimizerSlabs(
        parameters: parameters.pointer, gradients: gradients.pointer,
        states: states.map(\.pointer)),
      owned: owned,
      step: OptimizerStep(
        number: step, learningRate: rate ?? optimizer.learningRate, gradientScale: scale),
      norms: norms)
  }
}

/// Tensors that start in the middle of blocks, span several and have ragged sizes.
func raggedLayout() -> ParameterLayout {
  var layout = ParameterLayout()
  layout.append("patch_embed.weight", [91, 100])
  layout.append("patch_embed.bias", [91])
  layout.append("cls_token", [1, 1, 91])
  layout.append("head.weight", [33, 91])
  layout.append("head.bias", [33])
  return layout
}

/// Numbers without a pattern, about -1 ... 1.
func noise(_ index: Int, seed: UInt64) -> Float {
  Float(RandomKey(seed: seed, .synthesis).uniform(index) * 2 - 1)
}
