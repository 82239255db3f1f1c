import Configuration
import Tensors

/// Random brightness, contrast and saturation in random order, as torchvision's `ColorJitter`.
public struct ColorJitterOptions: Configurable {
  /// Each factor is uniform in max(0, 1 - value)...1 + value; 0 turns it off.
  public var brightness = 0.0
  public var contrast = 0.0
  public var saturation = 0.0

  public init() {}

  public func validate() throws {
    for (name, value) in [
      ("brightness", brightness), ("contrast", contrast), ("saturation", saturation),
    ] where !(value >= 0 && value.isFinite) {
      throw ConfigurationError(
        name, "\(value) is negative or not finite",
        remedy: "Give 0 to turn it off, or a strength such as 0.3")
    }
  }

  /// Draws of purpose `colorJitter`: 0 to 2 the factors, 3 the order.
  package func apply(to picture: Picture, _ keys: SampleKeys) {
    guard brightness > 0 || contrast > 0 || saturation > 0 else { return }
    let key = keys[.colorJitter, 0]
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    for operation in orders[key.below(6, 3)] {
      let strength = [brightness, contrast, saturation][operation]
      guard strength > 0 else { continue }
      let low = max(0, 1 - strength)
      let factor = Float(low + (1 + strength - low) * key.uniform(operation))
      switch operation {
      case 0: BlendOperations.brightness(picture, factor)
      case 1: BlendOperations.contrast(picture, factor)
      default: BlendOperations.color(picture, factor)
      }
    }
  }
}
