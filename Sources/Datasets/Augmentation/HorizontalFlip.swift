/// Mirrors a picture left to right, in place.
package func flipHorizontally(_ picture: Picture) {
  let (width, channels) = (picture.width, picture.channels)
  for y in 0..<picture.height {
    let row = picture.pointer + y * picture.rowBytes
    var (left, right) = (row, row + (width - 1) * channels)
    while left < right {
      for channel in 0..<channels { swap(&left[channel], &right[channel]) }
      left += channels
      right -= channels
    }
  }
}
