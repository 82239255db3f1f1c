/// Resizes pictures with the same bits as Pillow's `Image.resize`: separable, anti-aliased,
/// horizontal pass first, 8-bit pixels between the passes. Weights of the last sizes and all
/// scratch memory are kept: one resizer per thread, no allocation in steady state.
public final class Resizer {
  private let horizontal: ResampleWeights
  private let vertical: ResampleWeights
  private let between = Picture()

  public convenience init() { self.init(byDigits: ResampleWeights.multipliesDigits) }

  /// - Parameter byDigits: whether sums are formed as `DigitKernels` do, which not every processor can.
  package init(byDigits: Bool) {
    horizontal = ResampleWeights(hasDigits: byDigits)
    vertical = ResampleWeights(hasDigits: byDigits)
  }

  /// The part `box` of `source` as a picture of `size`; nothing outside the box is looked at.
  public func resize(
    _ source: Picture, box: PixelBox? = nil, to size: PixelSize, _ interpolation: Interpolation,
    into target: Picture
  ) {
    let view = source.view(box ?? PixelSize(width: source.width, height: source.height).box)
    resize(view, to: size, interpolation, into: target)
  }

  package func resize(
    _ source: PictureView, to size: PixelSize, _ interpolation: Interpolation,
    into target: Picture
  ) {
    let box = ResizeBox(
      left: 0, top: 0, right: Float(source.width), bottom: Float(source.height))
    resize(source, box: box, to: size, interpolation, into: target)
  }

  /// As Pillow with its `box` argument: the range may be fractional, and taps may lie outside it.
  package func resize(
    _ source: PictureView, box: ResizeBox, to size: PixelSize, _ interpolation: Interpolation,
    into target: Picture
  ) {
    horizontal.prepare(
      .init(
        input: source.width, output: size.width, low: box.left, high: box.right,
        interpolation: interpolation))
    vertical.prepare(
      .init(
        input: source.height, output: size.height, low: box.top, high: box.bottom,
        interpolation: interpolation))
    target.reshape(width: size.width, height: size.height, channels: source.channels)
    guard size.width > 0, size.height > 0 else { return }
    let keepsColumns =
      size.width == source.width && box.left == 0
      && box.right == Float(source.width)
    let keepsRows =
      size.height == source.height && box.top == 0
      && box.bottom == Float(source.height)
    let firstRow = keepsRows ? 0 : Int(vertical.first[0])
    let last = size.height - 1
    let endRow = keepsRows ? source.height : Int(vertical.first[last]) + vertical.taps
    let rows = PictureView(
      pointer: source.pointer + firstRow * source.rowBytes, width: source.width,
      height: endRow - firstRow, channels: source.channels, rowBytes: source.rowBytes)
    switch (keepsColumns, keepsRows) {
    case (true, true): copyRows(rows, into: target)
    case (false, true): resampleRows(rows, horizontal, into: target)
    case (true, false): resampleColumns(rows, vertical, firstRow: firstRow, into: target)
    case (false, false):
      between.reshape(width: size.width, height: rows.height, channels: source.channels)
      resampleRows(rows, horizontal, into: between)
      resampleColumns(between.view, vertical, firstRow: firstRow, into: target)
    }
  }
}

/// A range of an image in fractional pixels.
package struct ResizeBox: Equatable {
  package var left: Float
  package var top: Float
  package var right: Float
  package var bottom: Float

  package init(left: Float, top: Float, right: Float, bottom: Float) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }
}

/// The rectangle of `rows` as a picture of its own.
func copyRows(_ rows: PictureView, into target: Picture) {
  target.reshape(width: rows.width, height: rows.height, channels: rows.channels)
  for y in 0..<rows.height {
    (target.pointer + y * target.rowBytes).update(
      from: rows.pointer + y * rows.rowBytes, count: target.rowBytes)
  }
}
