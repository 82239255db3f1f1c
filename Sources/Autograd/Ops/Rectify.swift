import Tensors

extension Context {
  /// max(x, 0), element by element.
  public func relu(_ x: Variable) -> Variable {
    let y = Tensor(x.shape, from: pool)
    Rectifier.forward(x.tensor.pointer, into: y.pointer, count: y.count)
    let edge = x.edge
    return record("relu", y, from: [x]) { dy, tape in
      Rectifier.backward(y.pointer, gradient: dy.pointer, into: dy.pointer, count: dy.count)
      tape.give(dy, to: edge)
    }
  }
}
