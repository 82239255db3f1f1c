/// A convolution of every channel with a window of its own, on maps `[images, side², channels]`.
///
/// Weights are `[taps, channels]`. Channels lie side by side, so sixteen or thirty-two of them are
/// computed at once, whatever the window.
public struct DepthwiseProducts {
  public let window: SlidingWindow
  public let channels: Int

  public init(_ window: SlidingWindow, channels: Int) {
    self.window = window
    self.channels = channels
  }

  /// y ← bias + Σ over taps of weight ∘ x
  public func forward(
    _ x: UnsafePointer<Float>, images: Int, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    for image in 0..<images {
      let x = x + image * window.inputs * channels
      var pixel = y + image * window.outputs * channels
      for row in 0..<window.output {
        let down = window.inputs(of: row)
        for column in 0..<window.output {
          combine(
            x, side: window.side, down, window.inputs(of: column), weight, start: bias,
            into: pixel)
          pixel += channels
        }
      }
    }
  }

  /// dx ← Σ over taps of weight ∘ dy, or dx plus that.
  public func inputGradient(
    _ dy: UnsafePointer<Float>, images: Int, weight: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>, adding: Bool
  ) {
    for image in 0..<images {
      let dy = dy + image * window.outputs * channels
      var pixel = dx + image * window.inputs * channels
      for row in 0..<window.side {
        let down = window.outputs(of: row)
        for column in 0..<window.side {
          combine(
            dy, side: window.output, down, window.outputs(of: column), weight,
            start: adding ? UnsafePointer(pixel) : nil, into: pixel)
          pixel += channels
        }
      }
    }
  }

  /// One pixel: start + Σ weight ∘ x over the taps of two walks.
  @inline(__always) private func combine(
    _ x: UnsafePointer<Float>, side: Int, _ down: TapWalk, _ across: TapWalk,
    _ weight: UnsafePointer<Float>, start: UnsafePointer<Float>?,
    into pixel: UnsafeMutablePointer<Float>
  ) {
    let x = x + (down.place * side + across.place) * channels
    let weight = weight + (down.tap * window.kernel + across.tap) * channels
    let (xStep, xLine) = (across.placeStep * channels, down.placeStep * side * channels)
    let (wStep, wLine) = (across.tapStep * channels, down.tapStep * window.kernel * channels)
    let whole = channels & ~31
    for channel in stride(from: 0, to: whole, by: 32) {
      var (a, b) = (Lanes.zero, Lanes.zero)
      if let start { (a, b) = (start.lanes(channel), start.lanes(channel + 16)) }
      for line in 0..<down.count {
        var (p, w) = (x + (line * xLine + channel), weight + (line * wLine + channel))
        for _ in 0..<across.count {
          a.addProduct(p.lanes(0), w.lanes(0))
          b.addProduct(p.lanes(16), w.lanes(16))
          p += xStep
          w += wStep
        }
      }
      pixel.store(a, channel)
      pixel.store(b, channel + 16)
    }
    for channel in stride(from: whole, to: channels, by: 16) {
      let n = min(16, channels - channel)
      var a = start?.part(channel, n) ?? .zero
      for tap in 0..<down.count * across.count {
        let (line, column) = (tap / across.count, tap % across.count)
        let (p, w) = (x + (line * xLine + column * xStep), weight + (line * wLine + column * wStep))
        a.addProduct(p.part(channel, n), w.part(channel, n))
      }
      pixel.store(a, channel, first: n)
    }
  }
}

extension DepthwiseProducts {
  /// dw ← dw + Σ over images and outputs of dy ∘ x, tap by tap.
  ///
  /// A line of the output is summed in registers before it is added: short sums lose fewer bits.
  public func weightGradient(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, images: Int,
    addingTo dw: UnsafeMutablePointer<Float>
  ) {
    for image in 0..<images {
      for row in 0..<window.output {
        let dy = dy + (image * window.outputs + row * window.output) * channels
        let down = window.inputs(of: row)
        for line in 0..<down.count {
          let x = x + (image * window.inputs + (down.place + line) * window.side) * channels
          let dw = dw + (down.tap + line) * window.kernel * channels
          for tap in 0..<window.kernel {
            let outputs = window.outputs(tap: tap)
            let first = outputs.lowerBound * window.stride + tap - window.padding
            addProducts(
              dy + outputs.lowerBound * channels, x + first * channels,
              step: window.stride * channels, count: outputs.count, to: dw + tap * channels)
          }
        }
      }
    }
  }

  @inline(__always) private func addProducts(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, step: Int, count: Int,
    to dw: UnsafeMutablePointer<Float>
  ) {
    var channel = 0
    while channel + 32 <= channels {
      var (a, b) = (Lanes.zero, Lanes.zero)
      var (p, q) = (dy + channel, x + channel)
      for _ in 0..<count {
        a.addProduct(p.lanes(0), q.lanes(0))
        b.addProduct(p.lanes(16), q.lanes(16))
        p += channels
        q += step
      }
      dw.store(dw.lanes(channel) + a, channel)
      dw.store(dw.lanes(channel + 16) + b, channel + 16)
      channel += 32
    }
    while channel < channels {
      let n = min(16, channels - channel)
      var a = Lanes.zero
      var (p, q) = (dy + channel, x + channel)
      for _ in 0..<count {
        a.addProduct(p.part(0, n), q.part(0, n))
        p += channels
        q += step
      }
      dw.store(dw.lanes(channel, first: n) + a, channel, first: n)
      channel += n
    }
  }
}
