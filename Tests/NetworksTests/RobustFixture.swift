import Autograd
import Configuration
import Foundation
import Networks
import Tensors
import TestSupport

/// `robust.NAME.json`: what an independent implementation makes of counted weights and images.
struct RobustFixture: Decodable {
  /// A tensor by its norm and its first values.
  struct Digest: Decodable {
    let norm: Float
    let first: [Float]
  }

  static let names = ["rvt-stages", "rvt-reasoning", "fan-vit", "fan-hybrid"]

  let images, parameters: Int
  let evaluationLogits, trainingLogits: [Float]
  let pixelGradient: Digest
  let gradients, statistics: [String: Digest]

  static func load(_ name: String) throws -> (fixture: RobustFixture, backbone: any Backbone) {
    let file = "robust.\(name).json"
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path(file)))
    let content = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let options = try JSONSerialization.data(withJSONObject: content?["options"] ?? [:])
    let choice = try Choice<BackboneCatalog>(
      yaml: String(decoding: options, as: UTF8.self), name: file)
    return (try Fixtures.decode(file), choice.value)
  }
}

/// A small robust network with counted weights and images.
struct RobustModel {
  let pool = BufferPool(poisonsReturned: true)
  let network: Network

  init(_ backbone: any Backbone) {
    network = Network(backbone, seed: 1, pool: pool)
    for entry in network.parameters.layout.entries {
      Self.fill(network.parameters[entry].elements, entry.name, entry.shape)
    }
  }

  /// The rule of `robust_backbones.counted`.
  static func fill(_ values: UnsafeMutableBufferPointer<Float>, _ name: String, _ shape: Shape) {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    let inputs = shape.extents.dropFirst().reduce(1, *)
    let (centre, spread): (Float, Float) =
      switch last {
      case "running_var": (1, 1)
      case "running_mean": (0, 0.6)
      case "temperature", "gamma", "gamma1", "gamma2": (1, 0.4)
      case "weight" where shape.rank == 1: (1, 0.4)
      case "att_mask": (0, 4)
      case "cls_token": (0, 1)
      case "bias": (0, 0.2)
      default: (0, Float(2 * (3 / Double(inputs)).squareRoot()))
      }
    let uniform = CountedValues.uniform(name, count: shape.count)
    for i in values.indices { values[i] = centre + (uniform[i] - 0.5) * spread }
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
