import CPixels

extension Picture {
  /// Writes the pixels as planes `[channels, height, width]` of numbers in 0...1, each byte / 255.
  package func writePlanes(_ planes: UnsafeMutablePointer<Float>) {
    let size = width * height
    if channels == 1 {
      for i in 0..<size { planes[i] = Float(pointer[i]) / 255 }
      return
    }
    let (red, green, blue) = (planes, planes + size, planes + 2 * size)
    let whole = size & ~15
    for i in stride(from: 0, to: whole, by: 16) {
      let pixels = pointer + 3 * i
      store(cpixels_channel(pixels, 0), red + i)
      store(cpixels_channel(pixels, 1), green + i)
      store(cpixels_channel(pixels, 2), blue + i)
    }
    for i in whole..<size {
      red[i] = Float(pointer[3 * i]) / 255
      green[i] = Float(pointer[3 * i + 1]) / 255
      blue[i] = Float(pointer[3 * i + 2]) / 255
    }
  }
}

/// x / 255, rounded to the nearest for every byte: the product with 1 / 255 and what it left over.
@inline(__always)
private func store(_ x: SIMD16<Float>, _ to: UnsafeMutablePointer<Float>) {
  let inverse = SIMD16<Float>(repeating: 1 / 255)
  let quotient = x * inverse
  let rest = x.addingProduct(quotient, SIMD16(repeating: -255))
  UnsafeMutableRawPointer(to).storeBytes(
    of: quotient.addingProduct(rest, inverse), as: SIMD16<Float>.self)
}
