import CPNG
import CTurboJPEG

/// Writes pictures as JPEG (lossy) or PNG (lossless) streams, for shards of resized images.
public final class ImageEncoder {
  private let handle: tjhandle

  public init() {
    guard let handle = tjInitCompress() else { preconditionFailure("TurboJPEG did not start") }
    self.handle = handle
  }

  deinit { tjDestroy(handle) }

  /// - Parameters:
  ///   - quality: 1...100, on libjpeg's scale.
  ///   - fullColor: colour at full resolution (4:4:4), else at half in both directions (4:2:0).
  public func jpeg(
    _ picture: Picture, quality: Int = 92, fullColor: Bool = false, into bytes: inout [UInt8]
  ) throws {
    precondition((1...100).contains(quality), "JPEG quality \(quality)")
    let grey = picture.channels == 1
    let sampling = grey ? TJSAMP_GRAY : fullColor ? TJSAMP_444 : TJSAMP_420
    let (width, height) = (Int32(picture.width), Int32(picture.height))
    let bound = Int(tjBufSize(width, height, Int32(sampling.rawValue)))
    if bytes.count < bound { bytes += [UInt8](repeating: 0, count: bound - bytes.count) }
    var size = UInt(bytes.count)
    let status = bytes.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      return tjCompress2(
        handle, picture.pointer, width, Int32(picture.rowBytes), height,
        Int32((grey ? TJPF_GRAY : TJPF_RGB).rawValue), &start, &size, Int32(sampling.rawValue),
        Int32(quality), TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT)
    }
    guard status == 0 else {
      throw ImageError(.unsupported, "TurboJPEG says: \(String(cString: tjGetErrorStr2(handle)))")
    }
    bytes.removeLast(bytes.count - Int(size))
  }

  public func png(_ picture: Picture, into bytes: inout [UInt8]) throws {
    var image = png_image()
    cpng_open(&image)
    (image.width, image.height) = (UInt32(picture.width), UInt32(picture.height))
    image.format = picture.channels == 1 ? cpng_format_gray() : cpng_format_rgb()
    var size = picture.count + picture.height + picture.count / 64 + 4096
    if bytes.count < size { bytes += [UInt8](repeating: 0, count: size - bytes.count) }
    size = bytes.count
    let status = bytes.withUnsafeMutableBytes {
      png_image_write_to_memory(&image, $0.baseAddress, &size, 0, picture.pointer, 0, nil)
    }
    guard status != 0 else { throw ImageError(.unsupported, "libpng cannot encode the picture") }
    bytes.removeLast(bytes.count - size)
  }
}
