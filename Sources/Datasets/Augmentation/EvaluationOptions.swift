import Configuration

/// How an image is brought to the model's size for evaluation: the shorter side is resized to
/// ⌊size / cropFraction⌋, then the middle is cut out. An image that already has the model's size is
/// taken as it is.
public struct EvaluationOptions: Configurable {
  /// 0.875 in DeiT's own script, 0.9 in timm for the same weights.
  public var cropFraction = 0.875
  public var interpolation = Interpolation.bicubic

  public init() {}

  public func validate() throws {
    guard cropFraction > 0, cropFraction <= 1 else {
      throw ConfigurationError(
        "cropFraction", "\(cropFraction) is outside 0...1",
        remedy: "Give a number above 0 and up to 1, such as 0.875")
    }
  }

  /// Extents after the resize: the shorter side exactly, the longer one truncated.
  package func resized(_ image: PixelSize, for size: Int) -> PixelSize {
    Self.shorterSide(of: image, to: Int(Double(size) / cropFraction))
  }

  package static func shorterSide(of image: PixelSize, to length: Int) -> PixelSize {
    image.width <= image.height
      ? PixelSize(width: length, height: length * image.height / image.width)
      : PixelSize(width: length * image.width / image.height, height: length)
  }

  /// The middle `size` × `size` pixels, offsets rounded half to even.
  package static func middle(of image: PixelSize, _ size: Int) -> PixelBox {
    func offset(_ extent: Int) -> Int {
      Int((Double(extent - size) / 2).rounded(.toNearestOrEven))
    }
    return PixelBox(
      left: offset(image.width), top: offset(image.height), width: size, height: size)
  }
}
