import Tensors
import TestSupport
import Testing

/// Windows and their kernels against loops that do nothing clever.
@Suite struct SlidingWindowTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let window: SlidingWindow
    let channels: Int
    var testDescription: String {
      "side \(window.side), kernel \(window.kernel), stride \(window.stride), "
        + "padding \(window.padding), \(channels) channels"
    }

    init(_ side: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ channels: Int) {
      window = SlidingWindow(side: side, kernel: kernel, stride: stride, padding: padding)
      self.channels = channels
    }
  }

  static let cases = [
    Case(7, 3, 1, 1, 5), Case(6, 3, 2, 1, 16), Case(5, 3, 2, 1, 33), Case(9, 7, 2, 2, 3),
    Case(4, 7, 1, 3, 70), Case(8, 4, 4, 0, 20), Case(9, 4, 4, 0, 1), Case(6, 2, 2, 0, 64),
    Case(5, 3, 3, 0, 48), Case(1, 3, 1, 1, 2), Case(7, 5, 3, 4, 17), Case(9, 3, 1, 1, 70),
    Case(12, 7, 1, 3, 33), Case(8, 3, 1, 0, 32),
  ]
  private let images = 2
  private let pool = BufferPool(poisonsReturned: true)

  private func random(_ count: Int, _ name: String) -> Tensor {
    Tensor([count], CountedValues.uniform(name, count: count).map { 2 * $0 - 1 }, from: pool)
  }

  /// Every output, its tap and the input the tap sees; nil beside the map.
  private func forEachTap(
    _ w: SlidingWindow, _ body: (_ image: Int, _ output: Int, _ tap: Int, _ input: Int?) -> Void
  ) {
    for image in 0..<images {
      for output in 0..<w.outputs {
        for tap in 0..<w.taps {
          let y = output / w.output * w.stride - w.padding + tap / w.kernel
          let x = output % w.output * w.stride - w.padding + tap % w.kernel
          let isInside = (0..<w.side).contains(y) && (0..<w.side).contains(x)
          body(
            image, image * w.outputs + output, tap,
            isInside ? image * w.inputs + y * w.side + x : nil)
        }
      }
    }
  }

  private func expect(_ found: Tensor, _ expected: [Double], _ what: String) {
    // Sums of at most 2 · 144 products of numbers below 1.
    let worst = zip(found.array, expected).map { abs(Double($0) - $1) }.max() ?? 1
    #expect(worst < 2e-5 && found.count == expected.count, "\(what): \(worst)")
  }

  @Test(arguments: cases) func windowsAreGathered(_ c: Case) {
    let (w, channels) = (c.window, c.channels)
    let x = random(images * w.inputs * channels, "map")
    let rows = Tensor([images * w.outputs * w.taps * channels], from: pool)
    let half = images * w.output / 2
    let width = w.taps * channels
    w.gather(x.pointer, channels: channels, lines: 0..<half, into: rows.pointer)
    w.gather(
      x.pointer, channels: channels, lines: half..<images * w.output,
      into: rows.pointer + half * w.output * width)
    let back = Tensor.zeros([x.count], from: pool)
    let d = random(rows.count, "rows")
    w.scatter(d.pointer, channels: channels, lines: 0..<images * w.output, addingTo: back.pointer)

    var expected = [Double](repeating: 0, count: x.count)
    forEachTap(w) { _, output, tap, input in
      for channel in 0..<channels {
        let place = (output * w.taps + tap) * channels + channel
        let value = input.map { x.pointer[$0 * channels + channel] } ?? 0
        #expect(rows.pointer[place] == value, "output \(output), tap \(tap)")
        if let input { expected[input * channels + channel] += Double(d.pointer[place]) }
      }
    }
    expect(back, expected, "scatter")
  }

  @Test(arguments: cases) func depthwiseConvolutionAgrees(_ c: Case) {
    let (w, channels) = (c.window, c.channels)
    let kernel = DepthwiseProducts(w, channels: channels)
    let x = random(images * w.inputs * channels, "map")
    let weight = random(w.taps * channels, "weight")
    let bias = random(channels, "bias")
    let dy = random(images * w.outputs * channels, "gradient")
    let y = Tensor([dy.count], from: pool)
    kernel.forward(
      x.pointer, images: images, weight: weight.pointer, bias: bias.pointer, into: y.pointer)
    let dx = random(x.count, "before")
    kernel.inputGradient(
      dy.pointer, images: images, weight: weight.pointer, into: dx.pointer, adding: true)
    let dw = Tensor.zeros([weight.count], from: pool)
    kernel.weightGradient(dy.pointer, x.pointer, images: images, addingTo: dw.pointer)

    var out = (0..<y.count).map { Double(bias.pointer[$0 % channels]) }
    var back = random(x.count, "before").array.map(Double.init)
    var turn = [Double](repeating: 0, count: dw.count)
    forEachTap(w) { _, output, tap, input in
      guard let input else { return }
      for channel in 0..<channels {
        let (i, o, t) = (
          input * channels + channel, output * channels + channel, tap * channels + channel
        )
        out[o] += Double(x.pointer[i]) * Double(weight.pointer[t])
        back[i] += Double(dy.pointer[o]) * Double(weight.pointer[t])
        turn[t] += Double(dy.pointer[o]) * Double(x.pointer[i])
      }
    }
    expect(y, out, "forward")
    expect(dx, back, "input gradient")
    expect(dw, turn, "weight gradient")
    let fresh = Tensor([x.count], from: pool)
    kernel.inputGradient(
      dy.pointer, images: images, weight: weight.pointer, into: fresh.pointer, adding: false)
    expect(fresh, zip(back, random(x.count, "before").array).map { $0 - Double($1) }, "written")
  }

  @Test(arguments: cases) func theMaximumAgrees(_ c: Case) {
    let (w, channels) = (c.window, c.channels)
    let x = random(images * w.inputs * channels, "map")
    let y = Tensor([images * w.outputs * channels], from: pool)
    MaxPooling(w, channels: channels).forward(x.pointer, images: images, into: y.pointer)
    var expected = [Double](repeating: -.infinity, count: y.count)
    forEachTap(w) { _, output, _, input in
      guard let input else { return }
      for channel in 0..<channels {
        let place = output * channels + channel
        expected[place] = max(expected[place], Double(x.pointer[input * channels + channel]))
      }
    }
    #expect(y.array.map(Double.init) == expected)
  }
}
