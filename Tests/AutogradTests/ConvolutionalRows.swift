import Autograd
import Tensors

private func window(_ side: Int, _ kernel: Int, stride: Int, padding: Int) -> SlidingWindow {
  SlidingWindow(side: side, kernel: kernel, stride: stride, padding: padding)
}

/// Images of some channels to outputs, by a window.
private func convolution(
  _ name: String, _ window: SlidingWindow, from channels: Int, to outputs: Int,
  hasBias: Bool = true
) -> OpRow {
  OpRow(
    name: "convolution, \(name)", inputs: [[2, window.inputs, channels]],
    declare: {
      _ = $0.parameter("w", [outputs, channels, window.kernel, window.kernel], .normal(0.5))
      if hasBias { _ = $0.parameter("b", [outputs], .normal(0.5)) }
    },
    function: { x, cx in
      cx.convolution(
        x[0], window: window, weight: parameter(cx, "w"),
        bias: hasBias ? parameter(cx, "b") : nil)
    })
}

private func depthwise(
  _ name: String, _ window: SlidingWindow, channels: Int, times: Int = 1
) -> OpRow {
  OpRow(
    name: "depthwise convolution, \(name)", inputs: [[2, window.inputs, channels]],
    declare: {
      _ = $0.parameter(
        "w", [times * channels, 1, window.kernel, window.kernel], .normal(0.5))
      _ = $0.parameter("b", [times * channels], .normal(0.5))
    },
    function: { x, cx in
      cx.depthwiseConvolution(
        x[0], window: window, weight: parameter(cx, "w"), bias: parameter(cx, "b"))
    })
}

/// Running values that differ from those of any batch.
private func batchNorm(_ name: String, _ shape: Shape, phase: Phase) -> OpRow {
  OpRow(
    name: "batch norm, \(name)", inputs: [shape],
    declare: {
      let width: Shape = [shape[-1]]
      _ = $0.parameter("g", width, .normal(1))
      _ = $0.parameter("s", width, .normal(1))
      _ = $0.parameter("m", width, .normal(0.3), role: .statistic)
      _ = $0.parameter("v", width, .constant(0.7), role: .statistic)
    },
    function: { x, cx in
      var cx = cx
      cx.phase = phase
      return cx.batchNorm(x[0], batchNormParameters(cx), epsilon: 1e-5)
    })
}

func batchNormParameters(_ cx: Context) -> BatchNormParameters {
  BatchNormParameters(
    scale: parameter(cx, "g"), shift: parameter(cx, "s"), runningMean: parameter(cx, "m"),
    runningVariance: parameter(cx, "v"))
}

/// Ops of the convolutional and fully attentional backbones.
let convolutionalRows: [OpRow] = [
  OpRow(
    name: "pixel rows", inputs: [[2, 3, 5, 5]],
    function: { x, cx in
      cx.pixelRows(x[0], mean: [0.1, 0.2, 0.3], deviation: [0.5, 0.6, 0.7])
    }),
  convolution("7 x 7 stride 2", window(9, 7, stride: 2, padding: 2), from: 3, to: 5),
  convolution(
    "3 x 3 stride 2", window(6, 3, stride: 2, padding: 1), from: 4, to: 6, hasBias: false),
  convolution("patches", window(8, 4, stride: 4, padding: 0), from: 2, to: 3),
  convolution("3 x 3, wide", window(3, 3, stride: 1, padding: 1), from: 17, to: 4),
  depthwise("3 x 3", window(4, 3, stride: 1, padding: 1), channels: 35),
  depthwise("7 x 7", window(5, 7, stride: 1, padding: 3), channels: 18),
  depthwise("stride 2, two filters", window(5, 3, stride: 2, padding: 1), channels: 9, times: 2),
  batchNorm("training", [3, 5, 19], phase: .training),
  batchNorm("training, many rows", [2, 150, 2], phase: .training),
  batchNorm("evaluation", [2, 3, 19], phase: .evaluation),
  OpRow(
    name: "scaled channels", inputs: [[2, 3, 19], [2, 3, 19]],
    declare: { _ = $0.parameter("g", [19], .normal(1)) },
    function: { x, cx in cx.scaleChannels(x[0], by: parameter(cx, "g"), addedTo: x[1]) }),
  OpRow(
    name: "scaled channels of images", inputs: [[2, 3, 19], [2, 19]],
    function: { x, cx in cx.scaleChannels(x[0], by: x[1]) }),
  OpRow(
    name: "softmax over tokens", inputs: [[2, 5, 19]],
    function: { x, cx in cx.softmaxOverTokens(x[0]) }),
  OpRow(
    name: "channel gate", inputs: [[2, 5, 34], [2, 5, 34]],
    declare: { _ = $0.parameter("t", [2, 1, 1], .uniform(1)) },
    function: { x, cx in
      cx.channelGate(queries: x[0], keys: x[1], temperature: parameter(cx, "t"))
    }),
  OpRow(
    name: "channel gate of distributions", inputs: [[2, 6, 8], [2, 6, 8]],
    declare: { _ = $0.parameter("t", [4, 1, 1], .constant(1.5)) },
    function: { x, cx in
      cx.channelGate(
        queries: cx.softmaxOverTokens(x[0]), keys: cx.softmaxOverTokens(x[1]),
        temperature: parameter(cx, "t"))
    }),
  OpRow(
    name: "masked attention weights", inputs: [[2, 5, 12]],
    declare: { _ = $0.parameter("mask", [2, 5, 5], .normal(1)) },
    function: { x, cx in
      cx.attentionWeights(
        queries: HeadColumns(x[0], from: 0), keys: HeadColumns(x[0], from: 4), heads: 2, depth: 2,
        mask: parameter(cx, "mask"))
    }),
  OpRow(
    name: "joined tokens", inputs: [[2, 1, 3], [2, 4, 3]],
    function: { x, cx in cx.joinTokens([x[0], x[1], x[0]]) }),
  OpRow(
    name: "prepended token", inputs: [[2, 4, 3]],
    declare: { _ = $0.parameter("cls", [1, 1, 3], .normal(1)) },
    function: { x, cx in cx.prependToken(parameter(cx, "cls"), to: x[0]) }),
  OpRow(
    name: "rows for every image", inputs: [[4, 3], [2, 4, 3]],
    function: { x, cx in cx.addToEveryImage(x[0], to: x[1]) }),
]
