/// An 8-bit image, rows top to bottom, channels interleaved (1 grey or 3 RGB), in storage that is
/// kept and reused: `reshape` allocates only when it needs more than ever before.
///
/// One thread uses a picture at a time. Kernels may read and write up to `slack` bytes past the
/// last pixel, so that they need no special last step.
public final class Picture {
  package static let slack = 64

  public private(set) var width = 0
  public private(set) var height = 0
  public private(set) var channels = 0
  private var capacity = 0
  public private(set) var pointer: UnsafeMutablePointer<UInt8>

  /// An empty picture.
  public init() { pointer = .allocate(capacity: Self.slack) }

  /// A black picture.
  public convenience init(width: Int, height: Int, channels: Int) {
    self.init()
    reshape(width: width, height: height, channels: channels)
    pointer.update(repeating: 0, count: count)
  }

  deinit { pointer.deallocate() }

  public var rowBytes: Int { width * channels }
  public var count: Int { width * height * channels }
  public var bytes: UnsafeMutableBufferPointer<UInt8> { .init(start: pointer, count: count) }

  /// Gives the picture other extents; its contents are undefined afterwards.
  public func reshape(width: Int, height: Int, channels: Int) {
    precondition(width >= 0 && height >= 0 && (channels == 1 || channels == 3))
    let needed = width * height * channels
    if needed > capacity {
      pointer.deallocate()
      pointer = .allocate(capacity: needed + Self.slack)
      capacity = needed
    }
    (self.width, self.height, self.channels) = (width, height, channels)
  }

  /// Takes over the extents and pixels of another picture.
  public func copy(_ other: Picture) {
    reshape(width: other.width, height: other.height, channels: other.channels)
    pointer.update(from: other.pointer, count: count)
  }

  /// The rectangle `box`, without a copy.
  package func view(_ box: PixelBox) -> PictureView {
    precondition(box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height)
    return PictureView(
      pointer: pointer + box.top * rowBytes + box.left * channels, width: box.width,
      height: box.height, channels: channels, rowBytes: rowBytes)
  }

  package var view: PictureView {
    view(PixelBox(left: 0, top: 0, width: width, height: height))
  }
}

/// Pixels inside a picture; valid while that picture is alive and not reshaped.
package struct PictureView {
  package let pointer: UnsafeMutablePointer<UInt8>
  package let width: Int
  package let height: Int
  package let channels: Int
  package let rowBytes: Int
}

/// A rectangle of whole pixels.
public struct PixelBox: Sendable, Equatable {
  public var left: Int
  public var top: Int
  public var width: Int
  public var height: Int

  public init(left: Int, top: Int, width: Int, height: Int) {
    (self.left, self.top, self.width, self.height) = (left, top, width, height)
  }

  public var right: Int { left + width }
  public var bottom: Int { top + height }
}

/// Extents of an image in pixels.
public struct PixelSize: Sendable, Equatable {
  public var width: Int
  public var height: Int

  public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

  package var box: PixelBox { PixelBox(left: 0, top: 0, width: width, height: height) }
}
