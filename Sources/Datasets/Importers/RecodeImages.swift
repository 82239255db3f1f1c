import Configuration
import Synchronization

/// How images are changed before they are stored.
public struct RecodeOptions: Configurable {
  /// How an image is brought to `size`.
  public enum Resize: String, Codable, Sendable, CaseIterable {
    /// Not at all.
    case none
    /// The shorter side becomes `size`, the aspect ratio stays.
    case shorter
    /// The shorter side becomes `size`, the middle square is kept.
    case crop
    /// Both sides become `size`, whatever the aspect ratio.
    case squash
  }

  public enum Storage: String, Codable, Sendable, CaseIterable {
    /// As in the source; images that were resized become JPEG, or raw if they were.
    case keep
    /// 8-bit samples; all images of a set then need one size.
    case raw
    case jpeg
    case png
  }

  public var resize = Resize.none
  public var size = 256
  public var interpolation = Interpolation.bicubic
  public var storage = Storage.keep
  /// Of JPEG streams made here.
  public var quality = 92

  public init() {}

  public func validate() throws {
    guard (1...16_384).contains(size) else {
      throw ConfigurationError("size", "is \(size)", remedy: "Give a number of pixels, such as 256")
    }
    guard (1...100).contains(quality) else {
      throw ConfigurationError(
        "quality", "is \(quality)", remedy: "Give a JPEG quality from 1 to 100")
    }
  }
}

/// Decodes every image, so that a broken one is found now and not in an epoch; resizes and stores it
/// as asked. An image that is neither resized nor stored otherwise keeps its bytes.
public final class RecodeImages: ImageTransform {
  private struct Workspace: ~Copyable {
    let decoder = ImageDecoder()
    let encoder = ImageEncoder()
    let resizer = Resizer()
    let picture = Picture()
    let resized = Picture()
    let cut = Picture()
  }

  private let options: RecodeOptions
  private let workspace = Mutex(Workspace())

  public init(_ options: RecodeOptions) { self.options = options }

  public var identity: String {
    "\(options.resize) \(options.size) \(options.interpolation) \(options.storage) "
      + "\(options.quality)"
  }

  public func storage(of source: ShardWriter.Storage) -> ShardWriter.Storage {
    switch options.storage {
    case .keep: source
    case .raw: .raw
    case .jpeg, .png: .encoded
    }
  }

  public func prepare(
    _ bytes: [UInt8], _ stored: StoredImage
  ) throws -> (bytes: [UInt8], stored: StoredImage) {
    try workspace.withLock { work in
      try load(bytes, stored, into: work.picture, work.decoder)
      if options.resize == .none, options.storage == .keep { return (bytes, stored) }
      let result = resize(work.picture, work.resizer, work.resized, work.cut)
      return try store(result, as: target(of: stored), work.encoder)
    }
  }

  private func load(
    _ bytes: [UInt8], _ stored: StoredImage, into picture: Picture, _ decoder: ImageDecoder
  ) throws {
    switch stored {
    case .encoded:
      try bytes.withUnsafeBufferPointer { try decoder.decode($0, into: picture) }
    case .raw(let width, let height, let channels):
      picture.reshape(width: width, height: height, channels: channels)
      guard bytes.count == picture.count else {
        throw ImageError(
          .corrupt, "\(bytes.count) bytes for \(width) x \(height) x \(channels) samples")
      }
      _ = picture.bytes.update(fromContentsOf: bytes)
    }
  }

  /// One of the three pictures.
  private func resize(
    _ picture: Picture, _ resizer: Resizer, _ resized: Picture, _ cut: Picture
  ) -> Picture {
    let size = PixelSize(width: picture.width, height: picture.height)
    let side = options.size
    switch options.resize {
    case .none:
      return picture
    case .squash:
      let square = PixelSize(width: side, height: side)
      resizer.resize(picture, to: square, options.interpolation, into: resized)
      return resized
    case .shorter, .crop:
      let extents = EvaluationOptions.shorterSide(of: size, to: side)
      resizer.resize(picture, to: extents, options.interpolation, into: resized)
      guard options.resize == .crop else { return resized }
      copyRows(resized.view(EvaluationOptions.middle(of: extents, side)), into: cut)
      return cut
    }
  }

  private func target(of stored: StoredImage) -> RecodeOptions.Storage {
    if options.storage != .keep { return options.storage }
    return stored == .encoded ? .jpeg : .raw
  }

  private func store(
    _ picture: Picture, as storage: RecodeOptions.Storage, _ encoder: ImageEncoder
  ) throws -> (bytes: [UInt8], stored: StoredImage) {
    var bytes: [UInt8] = []
    switch storage {
    case .png:
      try encoder.png(picture, into: &bytes)
    case .jpeg:
      try encoder.jpeg(picture, quality: options.quality, into: &bytes)
    case .raw, .keep:
      let stored = StoredImage.raw(
        width: picture.width, height: picture.height, channels: picture.channels)
      return (Array(picture.bytes), stored)
    }
    return (bytes, .encoded)
  }
}
