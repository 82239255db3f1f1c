import Tensors

extension Context {
  /// `value` forward, the identity backward (Bengio et al., 2013): how a step through rounding or
  /// binarisation is differentiated.
  public func straightThrough(_ x: Variable, value: Tensor) -> Variable {
    precondition(value.count == x.tensor.count, "\(value.shape) stands for \(x.shape)")
    let edge = x.edge
    return record("straightThrough", value, from: [x]) { d, tape in tape.give(d, to: edge) }
  }

  /// x forward, -factor times the gradient backward (Ganin and Lempitsky, 2015): one backward pass
  /// then updates both players of a min-max game.
  public func reverseGradient(_ x: Variable, by factor: Float) -> Variable {
    let edge = x.edge
    return record("reverseGradient", x.tensor, from: [x]) { d, tape in
      Elementwise.scale(d.pointer, by: -factor, into: d.pointer, count: d.count)
      tape.give(d, to: edge)
    }
  }
}
