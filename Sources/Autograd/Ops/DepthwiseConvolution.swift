import Tensors

extension Context {
  /// A convolution in which every input channel has windows of its own.
  ///
  /// - Parameters:
  ///   - x: `[batch, side², channels]`
  ///   - weight: `[channels · multiplier, 1, kernel, kernel]`; output o sees input o / multiplier.
  ///   - bias: `[channels · multiplier]`
  /// - Returns: `[batch, output side², channels · multiplier]`
  public func depthwiseConvolution(
    _ x: Variable, window: SlidingWindow, weight: Parameter, bias: Parameter
  ) -> Variable {
    let (batch, channels, outputs) = (x.shape[0], x.shape[2], weight.shape[0])
    precondition(
      x.shape[1] == window.inputs && outputs % channels == 0
        && weight.shape.count == outputs * window.taps,
      "\(weight.name) does not convolve \(x.shape) channel by channel")
    let maps = DepthwiseMaps(
      kernel: DepthwiseProducts(window, channels: outputs), batch: batch,
      multiplier: outputs / channels)
    let y = Tensor([batch, window.outputs, outputs], from: pool)
    let turned = turnedOver(weight, taps: window.taps)
    withExtendedLifetime((turned, maps.widened(x.tensor, from: pool))) { w, wide in
      maps.kernel.forward(
        wide.pointer, images: batch, weight: w.pointer, bias: parameters[bias].pointer,
        into: y.pointer)
    }

    let input = saved(x)
    let xEdge = x.edge
    return record("depthwiseConvolution", y, from: [x], parameters: [weight, bias]) { dy, tape in
      if let dw = tape.gradient(of: weight), let db = tape.gradient(of: bias) {
        ColumnSums.add(dy.pointer, rows: dy.shape.rows, width: outputs, to: db)
        let sum = Tensor.zeros([window.taps, outputs], from: pool)
        withExtendedLifetime((sum, maps.widened(input(), from: pool))) { sum, wide in
          maps.kernel.weightGradient(dy.pointer, wide.pointer, images: batch, addingTo: sum.pointer)
          ChannelOrder.addTapsLast(
            sum.pointer, outputs: 1, channels: outputs, taps: window.taps, to: dw)
        }
      }
      if xEdge.isTracked {
        let w = turnedOver(weight, taps: window.taps)
        let (dx, adding) = tape.accumulator(for: xEdge)
        maps.inputGradient(dy, weight: w, into: dx, adding: adding, pool: pool)
      }
    }
  }

  /// `[channels, taps]` as `[taps, channels]`.
  private func turnedOver(_ weight: Parameter, taps: Int) -> Tensor {
    let channels = weight.shape[0]
    let result = Tensor([taps, channels], from: pool)
    ChannelOrder.tapsFirst(
      parameters[weight].pointer, outputs: 1, channels: channels, taps: taps,
      into: result.pointer)
    return result
  }
}

/// Where an input channel serves several outputs, it is repeated, and the kernel sees one each.
private struct DepthwiseMaps {
  let kernel: DepthwiseProducts
  let batch: Int
  let multiplier: Int

  func widened(_ x: Tensor, from pool: BufferPool) -> Tensor {
    guard multiplier > 1 else { return x }
    let wide = Tensor([x.shape[0], x.shape[1], kernel.channels], from: pool)
    ChannelOrder.repeatChannels(x.pointer, count: x.count, times: multiplier, into: wide.pointer)
    return wide
  }

  func inputGradient(
    _ dy: Tensor, weight: Tensor, into dx: Tensor, adding: Bool, pool: BufferPool
  ) {
    guard multiplier > 1 else {
      return kernel.inputGradient(
        dy.pointer, images: batch, weight: weight.pointer, into: dx.pointer, adding: adding)
    }
    withExtendedLifetime(Tensor([dx.count, multiplier], from: pool)) { wide in
      kernel.inputGradient(
        dy.pointer, images: batch, weight: weight.pointer, into: wide.pointer, adding: false)
      ChannelOrder.sumRepeated(
        wide.pointer, count: dx.count, times: multiplier, into: dx.pointer, adding: adding)
    }
  }
}
