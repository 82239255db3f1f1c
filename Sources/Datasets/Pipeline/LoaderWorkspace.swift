import Tensors

/// The memory and decoder handles one loader thread works with; kept from image to image.
public final class LoaderWorkspace {
  private let decoder = ImageDecoder()
  private let resizer = Resizer()
  private var bytes: [UInt8] = []
  private let decoded = Picture()
  private let converted = Picture()
  package var picture = Picture()
  package var scratch = Picture()
  package private(set) var floats: [Float] = []

  public init() {}

  /// Reads the sample's stored bytes and brings the part that `place` chooses to a size.
  ///
  /// The result is `picture`, with `channels` channels.
  package func load(
    _ sample: Int, of source: any SampleSource, channels: Int, _ options: DecodingOptions,
    place: (PixelSize) -> Placement
  ) throws {
    switch try source.read(sample, into: &bytes) {
    case .raw(let width, let height, let stored):
      try checkRaw(width: width, height: height, channels: stored)
      decoded.reshape(width: width, height: height, channels: stored)
      bytes.withUnsafeBufferPointer {
        decoded.pointer.update(from: $0.baseAddress!, count: decoded.count)
      }
      let size = PixelSize(width: width, height: height)
      let placement = place(size)
      finish(decoded.view(placement.box), placement, channels: channels)
    case .encoded:
      try bytes.withUnsafeBufferPointer {
        try loadEncoded($0, channels: channels, options, place: place)
      }
    }
  }

  private func loadEncoded(
    _ bytes: UnsafeBufferPointer<UInt8>, channels: Int, _ options: DecodingOptions,
    place: (PixelSize) -> Placement
  ) throws {
    let header = try ImageHeader.parse(bytes, pixelLimit: options.pixelLimit)
    let placement = place(header.size)
    let box = placement.box
    let denominator = options.exactDecode || header.format == .png ? 1 : placement.denominator
    let scaled = header.size.divided(by: denominator)
    let left = box.left / denominator
    let top = box.top / denominator
    let part = PixelBox(
      left: left, top: top,
      width: min(scaled.width, (box.right + denominator - 1) / denominator) - left,
      height: min(scaled.height, (box.bottom + denominator - 1) / denominator) - top)
    let column = try decoder.decode(
      bytes, header, part: part, denominator: denominator, into: decoded)
    let view = decoded.view(
      PixelBox(left: column, top: 0, width: part.width, height: part.height))
    guard denominator > 1 else { return finish(view, placement, channels: channels) }
    let scale = 1 / Float(denominator)
    let range = ResizeBox(
      left: Float(box.left) * scale - Float(left), top: Float(box.top) * scale - Float(top),
      right: min(Float(box.right) * scale - Float(left), Float(part.width)),
      bottom: min(Float(box.bottom) * scale - Float(top), Float(part.height)))
    finish(view, placement, range: range, channels: channels)
  }

  /// Resizes, cuts out what is asked for, and converts the channels.
  private func finish(
    _ view: PictureView, _ placement: Placement, range: ResizeBox? = nil, channels: Int
  ) {
    let range =
      range ?? ResizeBox(left: 0, top: 0, right: Float(view.width), bottom: Float(view.height))
    let resized = PixelSize(width: view.width, height: view.height) == placement.size
    if resized, range.left == 0, range.top == 0, placement.cut == nil {
      return ChannelConversion.convert(view, to: channels, into: picture)
    }
    if view.channels == channels, placement.cut == nil {
      return resizer.resize(
        view, box: range, to: placement.size, placement.interpolation, into: picture)
    }
    resizer.resize(view, box: range, to: placement.size, placement.interpolation, into: converted)
    ChannelConversion.convert(
      converted.view(placement.cut ?? placement.size.box), to: channels, into: picture)
  }

  private func checkRaw(width: Int, height: Int, channels: Int) throws {
    guard channels == 1 || channels == 3 else {
      throw ImageError(.unsupported, "\(channels) channels; stored pixels are grey or RGB")
    }
    guard width > 0, height > 0, bytes.count == width * height * channels else {
      throw ImageError(
        .corrupt, "\(bytes.count) bytes stored for \(width) x \(height) x \(channels)")
    }
  }

  /// Room for `count` numbers.
  package func withFloats(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    if floats.count < count { floats = [Float](repeating: 0, count: count) }
    floats.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }
}

/// The part of an image that is wanted, the size it is resized to, and what is cut out afterwards.
package struct Placement {
  package var box: PixelBox
  package var size: PixelSize
  package var cut: PixelBox?
  package var interpolation: Interpolation

  package init(
    box: PixelBox, size: PixelSize, cut: PixelBox? = nil, interpolation: Interpolation
  ) {
    (self.box, self.size, self.cut) = (box, size, cut)
    self.interpolation = interpolation
  }

  /// The largest reduction a JPEG decoder makes cheaply (1, 2, 4, 8) that still leaves at least
  /// `size` pixels.
  var denominator: Int {
    for denominator in [8, 4, 2]
    where box.width >= denominator * size.width && box.height >= denominator * size.height {
      return denominator
    }
    return 1
  }
}
