import Tensors

extension Context {
  /// The samples of a, then those of b.
  public func stacked(_ a: Variable, _ b: Variable) -> Variable {
    let (first, second) = (a.tensor, b.tensor)
    let extents = [a.shape[0] + b.shape[0]] + a.shape.extents.dropFirst()
    let all = Tensor(Shape(extents), from: pool)
    all.pointer.update(from: first.pointer, count: first.count)
    (all.pointer + first.count).update(from: second.pointer, count: second.count)
    let (aEdge, bEdge) = (a.edge, b.edge)
    return record("stacked", all, from: [a, b]) { d, tape in
      for (edge, rows) in [(aEdge, 0..<aEdge.shape[0]), (bEdge, aEdge.shape[0]..<d.shape[0])]
      where edge.isTracked { tape.give(d.slice(rows).copy(from: tape.pool), to: edge) }
    }
  }

  /// The samples `range` of x.
  public func samples(_ x: Variable, _ range: Range<Int>) -> Variable {
    let part = x.tensor.slice(range).copy(from: pool)
    let edge = x.edge
    return record("samples", part, from: [x]) { d, tape in
      let whole = tape.partialAccumulator(for: edge)
      Elementwise.add(d.pointer, to: whole.slice(range).pointer, count: d.count)
    }
  }
}
