import Configuration
import Tensors

/// The embedded data set: how many images, how large, and from which seed.
public struct SyntheticOptions: Configurable {
  /// Width and height in pixels.
  public var imageSize = 32
  public var count = 10_000
  public var seed: UInt64 = 1

  public init() {}

  public func validate() throws {
    guard (8...1024).contains(imageSize) else {
      throw ConfigurationError(
        "imageSize", "\(imageSize) is outside 8...1024",
        remedy: "Give the width in pixels, such as 32")
    }
    guard count > 0 else {
      throw ConfigurationError("count", "\(count) is not positive", remedy: "Give 1 image or more")
    }
  }
}

/// Ten classes of shapes and textures, drawn on demand: a data set that needs no files.
///
/// Every image has its own place, size, angle, colours, background, clutter and noise. Colours say
/// nothing about the class, and a shape is as often darker as lighter than its surroundings, so that
/// no linear map of the pixels tells the classes apart. Image i is a pure function of (seed, split,
/// i); the class of image i is i modulo 10.
public struct SyntheticImages: SampleSource {
  public enum Split: Int, Sendable {
    case train
    case validation
  }

  public let classes = SyntheticShape.allCases.map(\.rawValue)
  public let count: Int
  private let options: SyntheticOptions
  private let split: Split

  public init(_ options: SyntheticOptions, split: Split) throws {
    try options.validate()
    (self.options, self.split, count) = (options, split, options.count)
  }

  public func label(_ index: Int) -> Int { index % classes.count }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage {
    let size = options.imageSize
    let needed = 3 * size * size
    if bytes.count > needed { bytes.removeLast(bytes.count - needed) }
    if bytes.count < needed { bytes += [UInt8](repeating: 0, count: needed - bytes.count) }
    let key = RandomKey(seed: options.seed, .synthesis, epoch: split.rawValue, sample: index)
    let scene = SyntheticScene(SyntheticShape.allCases[label(index)], key)
    bytes.withUnsafeMutableBufferPointer { scene.draw(into: $0.baseAddress!, size: size, key) }
    return .raw(width: size, height: size, channels: 3)
  }

  public func describe(_ index: Int) -> String {
    "synthetic \(split) image \(index) (\(classes[label(index)]))"
  }
}
