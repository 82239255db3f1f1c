import Configuration

/// What to do with an image that cannot be decoded.
public enum CorruptImagePolicy: String, Codable, Sendable, CaseIterable {
  /// Stop with an error that names the sample.
  case refuse
  /// Leave the sample out of its batch and count it; no other takes its place.
  case skip
}

/// How stored images become pixels.
public struct DecodingOptions: Configurable {
  /// Decode JPEGs at full size even where a half, quarter or eighth would do. Slower, and the same
  /// pixels as any other program's; otherwise large images are first halved by the decoder.
  public var exactDecode = false
  public var corruptImages = CorruptImagePolicy.refuse
  /// Largest accepted number of pixels: a defence against files that unpack to gigabytes.
  public var pixelLimit = 100_000_000

  public init() {}

  public func validate() throws {
    guard pixelLimit > 0 else {
      throw ConfigurationError(
        "pixelLimit", "\(pixelLimit) is not positive",
        remedy: "Give the largest accepted number of pixels, such as 100000000")
    }
  }
}
