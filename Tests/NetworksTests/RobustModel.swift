import Autograd
import Configuration
import Networks
import Tensors
import TestSupport

/// A small robust network with counted weights and images.
struct RobustModel {
  let pool = BufferPool(poisonsReturned: true)
  let network: Network

  init(_ backbone: any Backbone) {
    network = Network(backbone, seed: 1, pool: pool)
    network.parameters.fillWithRobustValues()
  }

  /// The model of a fixture.
  init(_ name: String) throws {
    let options = try RobustFixture.load(name).options
    self.init(try Choice<BackboneCatalog>(yaml: options, name: name).value)
  }

  func images(_ count: Int) -> Tensor {
    let description = network.model.description
    let shape: Shape = [count, description.channels, description.side, description.side]
    return Tensor(shape, CountedValues.uniform("images", count: shape.count), from: pool)
  }

  func context(_ phase: Phase, tape: Tape? = nil, taps: Taps? = nil) -> Context {
    Context(
      parameters: network.parameters, products: OpenBLASProducts(), pool: pool, phase: phase,
      tape: tape, taps: taps,
      keys: BatchKeys(
        seed: 1, step: 0, samples: Array(0..<64), repeats: Array(repeating: 0, count: 64)))
  }

  func logits(_ images: Tensor, _ phase: Phase = .evaluation, taps: Taps? = nil) -> [Float] {
    let cx = context(phase, taps: taps)
    return network.model(Variable(images), cx).prediction(cx).tensor.array
  }

  struct Gradients {
    let logits: [Float]
    let pixels: [Float]
    /// Of the parameters; running statistics hold what the pass collected.
    let slab: [Float]
  }

  /// Of the mean cross-entropy with classes 0, 1, 2, ...
  func gradients(_ images: Tensor, _ phase: Phase = .training, tracksParameters: Bool = true)
    -> Gradients
  {
    let slab = Tensor.zeros([network.parameters.layout.count], from: pool)
    let tape = Tape(
      tracksParameters ? .parameters(gradients: slab.pointer) : .inputs, pool: pool)
    var cx = context(phase, tape: tape)
    cx.statisticsWeight = 1 / Float(images.shape[0])
    let pixels = tape.watch(images)
    let prediction = network.model(pixels, cx).prediction(cx)
    let targets = Tensor.zeros(prediction.shape, from: pool)
    for row in 0..<targets.shape[0] { targets.pointer[row * targets.shape[1] + row] = 1 }
    let logits = prediction.tensor.array
    tape.backward(
      from: cx.crossEntropy(prediction, targets: targets, weight: 1 / Float(targets.shape[0])))
    return Gradients(
      logits: logits, pixels: tape.gradient(of: pixels)?.array ?? [], slab: slab.array)
  }
}
