/// An image that cannot be used: what is wrong with it. Whoever knows the sample adds its name.
public struct ImageError: Error, Equatable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// Neither JPEG nor PNG.
    case unknownFormat
    /// A kind of JPEG or PNG that has no meaning here, e.g. CMYK.
    case unsupported
    /// Cut short or damaged.
    case corrupt
    /// More pixels than `DecodingOptions.pixelLimit`.
    case tooLarge
  }

  public let kind: Kind
  public let description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

/// An image of a data set that could not be read: the sample, the cause and how to mend it.
public struct SampleError: Error, CustomStringConvertible {
  public let index: Int
  public let sample: String
  public let cause: any Error

  public var description: String {
    "\(sample) (sample \(index)) cannot be used: \(cause). Replace the image, or leave it out with "
      + "corruptImages: skip."
  }
}
