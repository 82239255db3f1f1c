import Tensors

extension Context {
  /// γ ∘ x, or residual + γ ∘ x, with one factor for every channel (LayerScale).
  ///
  /// - Parameters:
  ///   - x: `[…, channels]`
  ///   - factor: `[channels]`
  public func scaleChannels(
    _ x: Variable, by factor: Parameter, addedTo residual: Variable? = nil
  ) -> Variable {
    let (rows, width) = (x.shape.rows, x.shape[-1])
    precondition(factor.shape.count == width, "\(factor.name) does not scale \(x.shape)")
    let gamma = parameters[factor].pointer
    let y = Tensor(x.shape, from: pool)
    ChannelScaling.forward(
      x.tensor.pointer, rows: rows, width: width, factor: gamma,
      addedTo: residual.map { UnsafePointer($0.tensor.pointer) }, into: y.pointer)

    let input = saved(x)
    let (xEdge, residualEdge) = (x.edge, residual?.edge)
    return record(
      "scaleChannels", y, from: [x] + (residual.map { [$0] } ?? []), parameters: [factor]
    ) { dy, tape in
      if let dFactor = tape.gradient(of: factor) {
        withExtendedLifetime(input()) { x in
          ColumnSums.addProducts(dy.pointer, x.pointer, rows: rows, width: width, to: dFactor)
        }
      }
      if xEdge.isTracked {
        let (dx, adding) = tape.accumulator(for: xEdge)
        ChannelScaling.backward(
          dy.pointer, rows: rows, width: width, factor: gamma, into: dx.pointer, adding: adding)
      }
      if let residualEdge { tape.give(dy, to: residualEdge) }
    }
  }

  /// Every channel of every image times a factor of its own.
  ///
  /// - Parameters:
  ///   - x: `[batch, tokens, channels]`
  ///   - factors: `[batch, channels]`
  public func scaleChannels(_ x: Variable, by factors: Variable) -> Variable {
    let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    precondition(factors.shape.count == batch * width, "\(factors.shape) do not scale \(x.shape)")
    let y = Tensor(x.shape, from: pool)
    for image in 0..<batch {
      let start = image * tokens * width
      ChannelScaling.forward(
        x.tensor.pointer + start, rows: tokens, width: width,
        factor: factors.tensor.pointer + image * width, addedTo: nil, into: y.pointer + start)
    }

    let (input, gate) = (saved(x), saved(factors))
    let (xEdge, factorsEdge) = (x.edge, factors.edge)
    return record("scaleChannelsOfImages", y, from: [x, factors]) { dy, tape in
      if factorsEdge.isTracked {
        let dFactors = tape.partialAccumulator(for: factorsEdge)
        withExtendedLifetime(input()) { x in
          for image in 0..<batch {
            let start = image * tokens * width
            ColumnSums.addProducts(
              dy.pointer + start, x.pointer + start, rows: tokens, width: width,
              to: dFactors.pointer + image * width)
          }
        }
      }
      guard xEdge.isTracked else { return }
      let (dx, adding) = tape.accumulator(for: xEdge)
      withExtendedLifetime(gate()) { gate in
        for image in 0..<batch {
          let start = image * tokens * width
          ChannelScaling.backward(
            dy.pointer + start, rows: tokens, width: width, factor: gate.pointer + image * width,
            into: dx.pointer + start, adding: adding)
        }
      }
    }
  }
}
