/// Grey to RGB and back, always asked for by the number of channels the model takes.
public enum ChannelConversion {
  /// Luma of ITU-R BT.601 in 16-bit fixed point, as Pillow's mode L.
  @inline(__always)
  static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let sum = UInt32(red) &* 19595 &+ UInt32(green) &* 38470 &+ UInt32(blue) &* 7471 &+ 32768
    return UInt8(truncatingIfNeeded: sum >> 16)
  }

  /// Writes `view` with `channels` channels (1 or 3) into `target`: grey is repeated, colour is
  /// weighed to its luma.
  package static func convert(_ view: PictureView, to channels: Int, into target: Picture) {
    guard view.channels != channels else { return copyRows(view, into: target) }
    target.reshape(width: view.width, height: view.height, channels: channels)
    for y in 0..<view.height {
      let row = view.pointer + y * view.rowBytes
      let out = target.pointer + y * target.rowBytes
      for x in 0..<view.width {
        if channels == 1 {
          out[x] = luma(row[3 * x], row[3 * x + 1], row[3 * x + 2])
        } else {
          (out[3 * x], out[3 * x + 1], out[3 * x + 2]) = (row[x], row[x], row[x])
        }
      }
    }
  }
}
