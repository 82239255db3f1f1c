import Tensors

extension Context {
  /// a + b
  public func add(_ a: Variable, _ b: Variable) -> Variable {
    precondition(a.shape.count == b.shape.count, "cannot add \(a.shape) and \(b.shape)")
    let sum = a.tensor.copy(from: pool)
    Elementwise.add(b.tensor.pointer, to: sum.pointer, count: sum.count)
    let (aEdge, bEdge) = (a.edge, b.edge)
    return record("add", sum, from: [a, b]) { d, tape in
      // A gradient is given away once: the second taker gets a copy.
      if aEdge.isTracked { tape.give(bEdge.isTracked ? d.copy(from: tape.pool) : d, to: aEdge) }
      tape.give(d, to: bEdge)
    }
  }

  /// factor · x
  public func scale(_ x: Variable, by factor: Float) -> Variable {
    let y = Tensor(x.shape, from: pool)
    Elementwise.scale(x.tensor.pointer, by: factor, into: y.pointer, count: y.count)
    let edge = x.edge
    return record("scale", y, from: [x]) { d, tape in
      Elementwise.scale(d.pointer, by: factor, into: d.pointer, count: d.count)
      tape.give(d, to: edge)
    }
  }

  /// x + constant, element by element.
  public func offset(_ x: Variable, by constant: Float) -> Variable {
    let y = x.tensor.copy(from: pool)
    for i in 0..<y.count { y.pointer[i] += constant }
    let edge = x.edge
    return record("offset", y, from: [x]) { d, tape in tape.give(d, to: edge) }
  }
}
