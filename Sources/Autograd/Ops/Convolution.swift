import Tensors

extension Context {
  /// A convolution of maps stored channels last, as products of gathered windows.
  ///
  /// - Parameters:
  ///   - x: `[batch, side², channels]`
  ///   - weight: `[outputs, channels, kernel, kernel]`, PyTorch's order.
  ///   - bias: `[outputs]`, none if nil.
  /// - Returns: `[batch, output side², outputs]`
  public func convolution(
    _ x: Variable, window: SlidingWindow, weight: Parameter, bias: Parameter?
  ) -> Variable {
    let (batch, channels, outputs) = (x.shape[0], x.shape[2], weight.shape[0])
    precondition(
      x.shape[1] == window.inputs && weight.shape.count == outputs * channels * window.taps,
      "\(weight.name) does not convolve \(x.shape) with a window of \(window.kernel)")
    let bands = Bands(window, channels: channels, images: batch)
    let w = turned(weight, channels: channels, taps: window.taps)

    let y = Tensor([batch, window.outputs, outputs], from: pool)
    if let bias {
      Elementwise.fill(
        rows: y.shape.rows, width: outputs, with: parameters[bias].pointer, into: y.pointer)
    } else {
      y.pointer.update(repeating: 0, count: y.count)
    }
    withExtendedLifetime((w, bands.buffer(from: pool))) { w, rows in
      bands.forEach { lines, first, count in
        window.gather(x.tensor.pointer, channels: channels, lines: lines, into: rows.pointer)
        products.forward(
          Matrix(rows.pointer, count, bands.width), weight: Matrix(w),
          addingTo: Matrix(y.pointer + first * outputs, count, outputs))
      }
    }

    let input = saved(x)
    let xEdge = x.edge
    return record(
      "convolution", y, from: [x], parameters: [weight] + (bias.map { [$0] } ?? [])
    ) { dy, tape in
      if let bias, let db = tape.gradient(of: bias) {
        ColumnSums.add(dy.pointer, rows: dy.shape.rows, width: outputs, to: db)
      }
      if let dw = tape.gradient(of: weight) {
        addWeightGradient(dy, input(), bands, to: dw)
      }
      if xEdge.isTracked { giveInputGradient(dy, weight, bands, to: xEdge, tape) }
    }
  }

  /// dW ← dW + Σ over bands of dyᵀ · windows.
  private func addWeightGradient(
    _ dy: Tensor, _ x: Tensor, _ bands: Bands, to dw: UnsafeMutablePointer<Float>
  ) {
    let outputs = dy.shape[2]
    let sum = Tensor.zeros([outputs, bands.width], from: pool)
    withExtendedLifetime((sum, bands.buffer(from: pool))) { sum, rows in
      bands.forEach { lines, first, count in
        bands.window.gather(x.pointer, channels: bands.channels, lines: lines, into: rows.pointer)
        products.weightGradient(
          Matrix(dy.pointer + first * outputs, count, outputs),
          Matrix(rows.pointer, count, bands.width), addingTo: Matrix(sum))
      }
      ChannelOrder.addTapsLast(
        sum.pointer, outputs: outputs, channels: bands.channels, taps: bands.window.taps, to: dw)
    }
  }

  private func giveInputGradient(
    _ dy: Tensor, _ weight: Parameter, _ bands: Bands, to edge: Edge, _ tape: Tape
  ) {
    let outputs = dy.shape[2]
    let w = turned(weight, channels: bands.channels, taps: bands.window.taps)
    let dx = tape.partialAccumulator(for: edge)
    withExtendedLifetime((w, bands.buffer(from: pool))) { w, rows in
      bands.forEach { lines, first, count in
        products.inputGradient(
          Matrix(dy.pointer + first * outputs, count, outputs), weight: Matrix(w),
          into: Matrix(rows.pointer, count, bands.width), adding: false)
        bands.window.scatter(
          rows.pointer, channels: bands.channels, lines: lines, addingTo: dx.pointer)
      }
    }
  }

  /// The weight as rows of `taps · channels`, the order in which windows are gathered.
  private func turned(_ weight: Parameter, channels: Int, taps: Int) -> Tensor {
    let outputs = weight.shape[0]
    let result = Tensor([outputs, taps * channels], from: pool)
    ChannelOrder.tapsFirst(
      parameters[weight].pointer, outputs: outputs, channels: channels, taps: taps,
      into: result.pointer)
    return result
  }
}

/// The lines of the outputs of all images in groups whose windows fit the second-level cache.
private struct Bands {
  let window: SlidingWindow
  let channels: Int
  let lines: Int
  let linesAtOnce: Int

  init(_ window: SlidingWindow, channels: Int, images: Int) {
    self.window = window
    self.channels = channels
    lines = images * window.output
    linesAtOnce = min(
      lines, max(1, Self.floats / (window.output * window.taps * channels)))
  }

  private static let floats = 1 << 18

  /// Values of one window.
  var width: Int { window.taps * channels }

  func buffer(from pool: BufferPool) -> Tensor {
    Tensor([linesAtOnce * window.output, width], from: pool)
  }

  /// Calls `body` with the lines of every group, their first row and their number of rows.
  func forEach(_ body: (_ lines: Range<Int>, _ first: Int, _ rows: Int) -> Void) {
    for first in stride(from: 0, to: lines, by: linesAtOnce) {
      let group = first..<min(first + linesAtOnce, lines)
      body(group, first * window.output, group.count * window.output)
    }
  }
}
