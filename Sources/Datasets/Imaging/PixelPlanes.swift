extension Picture {
  /// Writes the pixels as planes `[channels, height, width]` of numbers in 0...1, each byte / 255.
  package func writePlanes(_ planes: UnsafeMutablePointer<Float>) {
    let size = width * height
    if channels == 1 {
      for i in 0..<size { planes[i] = Float(pointer[i]) / 255 }
      return
    }
    let (red, green, blue) = (planes, planes + size, planes + 2 * size)
    let pixels = pointer
    for i in 0..<size {
      red[i] = Float(pixels[3 * i]) / 255
      green[i] = Float(pixels[3 * i + 1]) / 255
      blue[i] = Float(pixels[3 * i + 2]) / 255
    }
  }
}
