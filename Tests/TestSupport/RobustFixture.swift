import Autograd
import Foundation
import Tensors

/// `robust.NAME.json`: what an independent implementation makes of a small RVT or FAN with counted
/// weights and images.
public struct RobustFixture: Decodable {
  /// A tensor by its norm and its first values.
  public struct Digest: Decodable {
    public let norm: Float
    public let first: [Float]

    /// What is wrong with `found`, nil if nothing is.
    public func difference(from found: [Float], within tolerance: Float) -> String? {
      let sum = found.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      if !(abs(Float(sum) - norm) <= tolerance) { return "norm \(sum), not \(norm)" }
      for (i, (a, b)) in zip(found, first).enumerated() where !(abs(a - b) <= tolerance) {
        return "[\(i)]: \(a), not \(b)"
      }
      return nil
    }
  }

  /// Some steps of SGD on the same images.
  public struct Training: Decodable {
    public let learningRate, momentum: Double
    public let losses: [Double]
    public let statistics: [String: Digest]
  }

  public static let names = ["rvt-stages", "rvt-reasoning", "fan-vit", "fan-hybrid"]

  public let images, parameters: Int
  public let evaluationLogits, trainingLogits: [Float]
  public let pixelGradient: Digest
  public let gradients, statistics: [String: Digest]
  public let training: Training

  /// The fixture, and the model's options as a config spells them.
  public static func load(_ name: String) throws -> (fixture: RobustFixture, options: String) {
    let file = "robust.\(name).json"
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path(file)))
    let content = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let options = try JSONSerialization.data(withJSONObject: content?["options"] ?? [:])
    return (try Fixtures.decode(file), String(decoding: options, as: UTF8.self))
  }
}

extension ParameterSlab {
  /// Sets every parameter by the rule of `robust_backbones.counted`.
  public func fillWithRobustValues() {
    for entry in layout.entries {
      let last = entry.name.split(separator: ".").last.map(String.init) ?? entry.name
      let inputs = entry.shape.extents.dropFirst().reduce(1, *)
      let (centre, spread): (Float, Float) =
        switch last {
        case "running_var": (1, 1)
        case "running_mean": (0, 0.6)
        case "temperature", "gamma", "gamma1", "gamma2": (1, 0.4)
        case "weight" where entry.shape.rank == 1: (1, 0.4)
        case "att_mask": (0, 4)
        case "cls_token": (0, 1)
        case "bias": (0, 0.2)
        default: (0, Float(2 * (3 / Double(inputs)).squareRoot()))
        }
      let values = self[entry].elements
      let uniform = CountedValues.uniform(entry.name, count: entry.shape.count)
      for i in values.indices { values[i] = centre + (uniform[i] - 0.5) * spread }
    }
  }
}
