import Foundation
import Tensors

/// Numbers that a test and the oracle of `Tests/Fixtures` both make, so that no file holds them:
/// element `i` of the stream of a name. The rules stand in `Tests/Fixtures/README.md`.
public enum CountedValues {
  public static let seed: UInt64 = 7

  private static func key(_ name: String) -> RandomKey {
    RandomKey(seed: seed, .initialization, name: name)
  }

  /// Uniform in [0, 1): pixels of a stream such as `images` or `batch.3.images`.
  public static func uniform(_ name: String, count: Int) -> [Float] {
    let key = key(name)
    return (0..<count).map { key.uniformFloat($0) }
  }

  /// Classes in 0 ..< `classes`.
  public static func labels(_ name: String, count: Int, classes: Int) -> [Int] {
    let key = key(name)
    return (0..<count).map { key.below(classes, $0) }
  }

  /// Values of a parameter by timm's name, in row-major order.
  ///
  /// - Parameter shape: timm's shape, `[outputs, inputs...]` for weights.
  public static func parameter(_ name: String, shape: [Int]) -> [Float] {
    var values = [Float](repeating: 0, count: shape.reduce(1, *))
    values.withUnsafeMutableBufferPointer {
      fill($0.baseAddress!, parameter: name, shape: shape)
    }
    return values
  }

  /// The same, written in place: for models of many millions of weights.
  public static func fill(
    _ values: UnsafeMutablePointer<Float>, parameter name: String, shape: [Int]
  ) {
    let key = key(name)
    let centre: Float = name.contains("norm") && name.hasSuffix(".weight") ? 1 : 0
    let spread = Float(2 * amplitude(name, shape))
    for index in 0..<shape.reduce(1, *) {
      values[index] = centre + (key.uniformFloat(index) - 0.5) * spread
    }
  }

  private static func amplitude(_ name: String, _ shape: [Int]) -> Double {
    if ["pos_embed", "cls_token", "dist_token"].contains(name) { return 0.5 }
    if name.hasSuffix(".bias") { return 0.1 }
    if name.contains("norm") { return 0.2 }
    return (3 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
  }
}
