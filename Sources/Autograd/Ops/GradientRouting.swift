import Tensors

extension Context {
  /// `tensor` as an input of the computation whose whole gradient is handed to `receive` at the end of
  /// the walk, when everything that was computed from it has been differentiated. Nothing is handed
  /// over where the result does not depend on it.
  public func input(
    _ tensor: Tensor, receivingGradient receive: @escaping (Tensor) -> Void
  ) -> Variable {
    guard let tape else { return Variable(tensor) }
    return tape.record("input", tensor) { d, _ in receive(d) }
  }

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
