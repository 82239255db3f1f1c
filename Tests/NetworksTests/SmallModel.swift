import Autograd
import Networks
import Tensors
import TestSupport

/// A model small enough to be run many times, with counted weights and images.
struct SmallModel {
  let pool = BufferPool(poisonsReturned: true)
  let network: Network
  var products: any MatrixProducts = OpenBLASProducts()

  /// 8 px in patches of 2 px, one channel, two blocks of width 32, ten classes.
  static var options: VisionTransformer {
    var options = VisionTransformer()
    (options.imageSize, options.patchSize, options.channels) = (8, 2, 1)
    (options.width, options.depth, options.heads, options.mlpRatio) = (32, 2, 2, 2)
    (options.classes, options.mean, options.deviation) = (10, [0.5], [0.25])
    return options
  }

  init(_ change: (inout VisionTransformer) -> Void = { _ in }) {
    var options = Self.options
    change(&options)
    network = Network(options, seed: 1, pool: pool)
    network.parameters.fillWithCountedValues()
  }

  func images(_ count: Int) -> Tensor {
    let description = network.model.description
    let shape: Shape = [count, description.channels, description.side, description.side]
    return Tensor(shape, CountedValues.uniform("images", count: shape.count), from: pool)
  }

  func context(_ phase: Phase = .evaluation, tape: Tape? = nil, taps: Taps? = nil) -> Context {
    Context(
      parameters: network.parameters, products: products, pool: pool, phase: phase,
      tape: tape, taps: taps,
      keys: BatchKeys(
        seed: 1, step: 0, samples: Array(0..<64), repeats: Array(repeating: 0, count: 64)))
  }

  /// What the model predicts of the images, row by row.
  func logits(_ images: Tensor, _ phase: Phase = .evaluation, taps: Taps? = nil) -> [Float] {
    let cx = context(phase, taps: taps)
    return network.model(Variable(images), cx).prediction(cx).tensor.array
  }

  /// The gradient slab of the mean cross-entropy with classes 0, 1, 2, ...
  func gradients(_ images: Tensor, _ phase: Phase = .training, taps: Taps? = nil) -> [Float] {
    let slab = Tensor.zeros([network.parameters.layout.count], from: pool)
    let tape = Tape(.parameters(gradients: slab.pointer), pool: pool)
    let cx = context(phase, tape: tape, taps: taps)
    let prediction = network.model(Variable(images), cx).prediction(cx)
    let targets = Tensor.zeros(prediction.shape, from: pool)
    for row in 0..<targets.shape[0] { targets.pointer[row * targets.shape[1] + row] = 1 }
    let weight = 1 / Float(targets.shape[0])
    tape.backward(from: cx.crossEntropy(prediction, targets: targets, weight: weight))
    return slab.array
  }
}

/// The largest difference over the largest element.
func relativeDistance(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  let scale = max(b.map(abs).max() ?? 0, .leastNormalMagnitude)
  let differences = zip(a, b).map { abs($0 - $1) }
  return differences.contains { $0.isNaN } ? .infinity : (differences.max() ?? 0) / scale
}
