import CPixels

/// Mirrors a picture left to right, in place.
package func flipHorizontally(_ picture: Picture) {
  let (width, channels) = (picture.width, picture.channels)
  for y in 0..<picture.height {
    let row = picture.pointer + y * picture.rowBytes
    var (left, right) = (row, row + (width - 1) * channels)
    while channels == 3, right - left >= 31 * 3 {
      cpixels_exchange_mirrored(left, right - 15 * 3)
      left += 16 * 3
      right -= 16 * 3
    }
    while left < right {
      for channel in 0..<channels { swap(&left[channel], &right[channel]) }
      left += channels
      right -= channels
    }
  }
}
