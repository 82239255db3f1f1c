import Tensors

extension Context {
  /// gelu(x), element by element; made again in the backward pass instead of kept.
  public func gelu(_ x: Variable, _ form: Gelu) -> Variable {
    let y = Tensor(x.shape, from: pool)
    form.forward(x.tensor.pointer, into: y.pointer, count: y.count)

    let input = saved(x)
    let xEdge = x.edge
    return record(
      "gelu", y, from: [x],
      regenerate: { [pool] in
        let again = Tensor(xEdge.shape, from: pool)
        withExtendedLifetime(input()) { x in
          form.forward(x.pointer, into: again.pointer, count: again.count)
        }
        return again
      },
      pullback: { dy, tape in
        withExtendedLifetime(input()) { x in
          form.backward(x.pointer, gradient: dy.pointer, into: dy.pointer, count: dy.count)
        }
        tape.give(dy, to: xEdge)
      })
  }
}
