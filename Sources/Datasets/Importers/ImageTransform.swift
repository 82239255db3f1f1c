/// What is done to every image before it is stored: decoding, resizing, a check.
public protocol ImageTransform: Sendable {
  /// Changes when the result does, e.g. `resize 64, raw`.
  var identity: String { get }
  /// How the results are stored, given how the source's images are.
  func storage(of source: ShardWriter.Storage) -> ShardWriter.Storage
  /// Throws if the image is broken.
  func prepare(
    _ bytes: [UInt8], _ stored: StoredImage
  ) throws -> (bytes: [UInt8], stored: StoredImage)
}

/// Stores images as they are.
public struct KeepImages: ImageTransform {
  public let identity = "as they are"

  public init() {}

  public func storage(of source: ShardWriter.Storage) -> ShardWriter.Storage { source }

  public func prepare(
    _ bytes: [UInt8], _ stored: StoredImage
  ) throws -> (bytes: [UInt8], stored: StoredImage) { (bytes, stored) }
}
