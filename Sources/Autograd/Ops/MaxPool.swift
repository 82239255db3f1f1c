import Tensors

extension Context {
  /// The greatest value of every window, channel by channel; of equal ones the first counts.
  ///
  /// - Parameter x: `[batch, side², channels]`
  /// - Returns: `[batch, output side², channels]`
  public func maxPool(_ x: Variable, window: SlidingWindow) -> Variable {
    let (batch, channels) = (x.shape[0], x.shape[2])
    precondition(x.shape[1] == window.inputs, "\(x.shape) is no map of side \(window.side)")
    let pooling = MaxPooling(window, channels: channels)
    let y = Tensor([batch, window.outputs, channels], from: pool)
    pooling.forward(x.tensor.pointer, images: batch, into: y.pointer)

    let input = saved(x)
    let xEdge = x.edge
    return record("maxPool", y, from: [x]) { dy, tape in
      let dx = tape.partialAccumulator(for: xEdge)
      withExtendedLifetime(input()) { x in
        pooling.backward(x.pointer, gradient: dy.pointer, images: batch, addingTo: dx.pointer)
      }
    }
  }
}
