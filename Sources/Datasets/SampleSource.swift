/// Images with labels, addressed by index: an open set of shards.
///
/// `read` may be called from several threads at once.
public protocol SampleSource: Sendable {
  var count: Int { get }
  var classes: [String] { get }
  func label(_ index: Int) -> Int
  /// The stored bytes of one image, placed in `bytes` (resized to fit, capacity kept).
  func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage
  /// What to call the sample in messages: file, position, original name if known.
  func describe(_ index: Int) -> String
}

/// How the bytes of one stored image are to be understood.
public enum StoredImage: Sendable, Equatable {
  /// 8-bit samples, rows top to bottom, channels interleaved.
  case raw(width: Int, height: Int, channels: Int)
  /// A JPEG or PNG stream.
  case encoded
}
