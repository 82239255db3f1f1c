/// Operations that blend a picture with a poorer copy of itself, as Pillow's `ImageEnhance`: factor
/// 0 gives the copy, 1 the picture, more than 1 exaggerates. All work in place.
package enum BlendOperations {
  /// Blends with black.
  package static func brightness(_ picture: Picture, _ factor: Float) {
    let bytes = picture.pointer
    for i in 0..<picture.count { bytes[i] = blend(0, bytes[i], factor) }
  }

  /// Blends with the rounded mean of the luma.
  package static func contrast(_ picture: Picture, _ factor: Float) {
    let bytes = picture.pointer
    var sum = 0
    if picture.channels == 1 {
      for i in 0..<picture.count { sum &+= Int(bytes[i]) }
    } else {
      for i in stride(from: 0, to: picture.count, by: 3) {
        sum &+= Int(ChannelConversion.luma(bytes[i], bytes[i + 1], bytes[i + 2]))
      }
    }
    let mean = UInt8(Double(sum) / Double(picture.width * picture.height) + 0.5)
    for i in 0..<picture.count { bytes[i] = blend(mean, bytes[i], factor) }
  }

  /// Blends with the luma; a grey picture stays as it is.
  package static func color(_ picture: Picture, _ factor: Float) {
    guard picture.channels == 3 else { return }
    let bytes = picture.pointer
    for i in stride(from: 0, to: picture.count, by: 3) {
      let grey = ChannelConversion.luma(bytes[i], bytes[i + 1], bytes[i + 2])
      bytes[i] = blend(grey, bytes[i], factor)
      bytes[i + 1] = blend(grey, bytes[i + 1], factor)
      bytes[i + 2] = blend(grey, bytes[i + 2], factor)
    }
  }

  /// Blends with the 3 x 3 average of weights 1 and, in the middle, 5; the border stays.
  package static func sharpness(_ picture: Picture, _ factor: Float, scratch: Picture) {
    guard picture.width > 2, picture.height > 2 else { return }
    scratch.copy(picture)
    let (rowBytes, channels) = (picture.rowBytes, picture.channels)
    for y in 1..<(picture.height - 1) {
      let row = scratch.pointer + y * rowBytes
      let (above, below) = (row - rowBytes, row + rowBytes)
      let out = picture.pointer + y * rowBytes
      for x in channels..<(rowBytes - channels) {
        let (l, r) = (x &- channels, x &+ channels)
        let ring =
          Int32(above[l]) &+ Int32(above[x]) &+ Int32(above[r]) &+ Int32(row[l])
          &+ Int32(row[r]) &+ Int32(below[l]) &+ Int32(below[x]) &+ Int32(below[r])
        let rounded = (2 &* (ring &+ 5 &* Int32(row[x])) &+ 13) / 26
        out[x] = blend(UInt8(truncatingIfNeeded: rounded), row[x], factor)
      }
    }
  }

  @inline(__always)
  private static func blend(_ poor: UInt8, _ value: UInt8, _ factor: Float) -> UInt8 {
    let base = Float(poor)
    let mixed = base + factor * (Float(value) - base)
    // The fraction bits of 2²³ + n hold n. A conversion would check its range, and a loop with a
    // check in it stays scalar.
    let whole = min(max(mixed, 0), 255).rounded(.towardZero) + 0x1p23
    return UInt8(truncatingIfNeeded: whole.bitPattern)
  }
}
