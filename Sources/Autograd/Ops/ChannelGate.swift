import Tensors

extension Context {
  /// Softmax over the tokens of every image, channel by channel: `[batch, tokens, channels]`.
  public func softmaxOverTokens(_ x: Variable) -> Variable {
    let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    let run = tokens * width
    let y = Tensor(x.shape, from: pool)
    for image in 0..<batch {
      TokenSoftmax.forward(
        x.tensor.pointer + image * run, tokens: tokens, width: width, into: y.pointer + image * run)
    }
    let edge = x.edge
    return record("softmaxOverTokens", y, from: [x]) { dy, tape in
      let (dx, adding) = tape.accumulator(for: edge)
      for image in 0..<batch {
        TokenSoftmax.backward(
          y.pointer + image * run, gradient: dy.pointer + image * run, tokens: tokens,
          width: width, into: dx.pointer + image * run, adding: adding)
      }
    }
  }

  /// How much of every channel passes (FAN's channel attention; Zhou et al., 2022):
  /// τ_h σ(Σ over tokens of q_c · k_h), where k_h is the mean of the head's channels of k.
  ///
  /// - Parameters:
  ///   - queries, keys: distributions over tokens, `[batch, tokens, channels]`.
  ///   - temperature: one value for every head.
  /// - Returns: `[batch, channels]`
  public func channelGate(
    queries: Variable, keys: Variable, temperature: Parameter
  ) -> Variable {
    let (batch, tokens, width) = (queries.shape[0], queries.shape[1], queries.shape[2])
    let heads = temperature.shape.count
    let gate = ChannelGating(tokens: tokens, width: width, heads: heads)
    let open = Tensor.zeros([batch, width], from: pool)
    let means = Tensor([batch, tokens, heads], from: pool)
    for image in 0..<batch {
      let (run, mean) = (image * tokens * width, means.pointer + image * tokens * heads)
      gate.means(keys.tensor.pointer + run, into: mean)
      gate.mix(queries.tensor.pointer + run, mean, addingTo: open.pointer + image * width)
    }
    Sigmoid.forward(open.pointer, into: open.pointer, count: open.count)
    let factor = Tensor([width], from: pool)
    gate.spread(parameters[temperature].pointer, into: factor.pointer)
    let y = Tensor([batch, width], from: pool)
    ChannelScaling.forward(
      open.pointer, rows: batch, width: width, factor: factor.pointer, addedTo: nil,
      into: y.pointer)

    let (q, qEdge, kEdge) = (queries.tensor, queries.edge, keys.edge)
    return record("channelGate", y, from: [queries, keys], parameters: [temperature]) { dy, tape in
      if let dTemperature = tape.gradient(of: temperature) {
        gate.addHeadProducts(dy.pointer, open.pointer, rows: batch, to: dTemperature)
      }
      // From here on dy is the gradient before the logistic function.
      gate.throughSigmoid(dy.pointer, open.pointer, factor.pointer, rows: batch)
      let dq = qEdge.isTracked ? tape.partialAccumulator(for: qEdge) : nil
      let dk = kEdge.isTracked ? tape.partialAccumulator(for: kEdge) : nil
      for image in 0..<batch {
        let (run, d) = (image * tokens * width, dy.pointer + image * width)
        if let dq {
          gate.addQueryGradient(
            d, means.pointer + image * tokens * heads, to: dq.pointer + run)
        }
        if let dk { gate.addKeyGradient(d, q.pointer + run, to: dk.pointer + run) }
      }
    }
  }
}
