import CPNG

/// Decodes PNG streams of every colour type to 8-bit grey or RGB: palettes are looked up, sixteen
/// bits rounded to eight, alpha dropped (not blended: a transparent pixel keeps its colour).
enum PNGDecoder {
  static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ header: ImageHeader, scratch: inout [UInt8],
    into picture: Picture
  ) throws {
    var image = png_image()
    cpng_open(&image)
    defer { png_image_free(&image) }
    guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
      throw damaged(&image)
    }
    guard Int(image.width) == header.storedSize.width,
      Int(image.height) == header.storedSize.height
    else { throw ImageError(.corrupt, "the PNG stream has two headers") }
    let channels = header.channels
    image.format = channels == 3 ? cpng_format_rgba() : cpng_format_gray_alpha()
    cpng_assume_srgb(&image)
    let pixels = Int(image.width) * Int(image.height)
    let needed = pixels * (channels + 1)
    if scratch.count < needed { scratch = [UInt8](repeating: 0, count: needed) }
    picture.reshape(width: Int(image.width), height: Int(image.height), channels: channels)
    try scratch.withUnsafeMutableBufferPointer { scratch in
      guard png_image_finish_read(&image, nil, scratch.baseAddress, 0, nil) != 0 else {
        throw damaged(&image)
      }
      var (pixel, out) = (scratch.baseAddress!, picture.pointer)
      for _ in 0..<pixels {
        for channel in 0..<channels { out[channel] = pixel[channel] }
        pixel += channels + 1
        out += channels
      }
    }
  }

  private static func damaged(_ image: inout png_image) -> ImageError {
    let message = withUnsafePointer(to: &image.message) {
      $0.withMemoryRebound(to: CChar.self, capacity: 64) { String(cString: $0) }
    }
    return ImageError(.corrupt, "the PNG decoder says: \(message)")
  }
}
