import Datasets
import Foundation
import Testing

/// Photographs in `VITDIST_DATA`, or `../shared/data` beside the package. Never part of the project.
enum RealImages {
  static let folder: URL? = {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let named = ProcessInfo.processInfo.environment["VITDIST_DATA"].map { URL(filePath: $0) }
    let folder = named ?? package.deletingLastPathComponent().appending(path: "shared/data")
    let found = FileManager.default.fileExists(
      atPath: folder.appending(path: "imagenet-sample/imagenet-sample-even.tar.gz").path)
    if !found { print("SKIPPED: no real images at \(folder.path); set VITDIST_DATA") }
    return found ? folder : nil
  }()

  /// Unpacks a tar into a temporary folder, calls `body` with its JPEGs, and removes it.
  static func withJPEGs(_ tar: String, _ body: ([URL]) throws -> Void) throws {
    let target = FileManager.default.temporaryDirectory.appending(path: "vitdist-\(UUID())")
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: target) }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/tar")
    process.arguments = ["-xzf", folder!.appending(path: tar).path, "-C", target.path]
    try process.run()
    process.waitUntilExit()
    let names = try FileManager.default.subpathsOfDirectory(atPath: target.path).sorted()
    try body(
      names.filter { $0.lowercased().hasSuffix("jpg") || $0.lowercased().hasSuffix("jpeg") }
        .map { target.appending(path: $0) })
  }
}

@Suite(.enabled(if: RealImages.folder != nil, "no real images"))
struct RealImageTests {
  @Test func photographsDecodeInPart() throws {
    try RealImages.withJPEGs("imagenet-sample/imagenet-sample-even.tar.gz") { files in
      #expect(files.count == 500)
      let (decoder, whole, part) = (ImageDecoder(), Picture(), Picture())
      var grey = 0
      for (number, file) in files.enumerated() where number % 5 == 0 || number < 40 {
        let bytes = [UInt8](try Data(contentsOf: file))
        try bytes.withUnsafeBufferPointer { bytes in
          let header = try ImageHeader.parse(bytes)
          grey += header.channels == 1 ? 1 : 0
          try decoder.decode(bytes, into: whole)
          #expect((whole.width, whole.height) == (header.size.width, header.size.height))
          let box = PixelBox(
            left: whole.width / 5, top: whole.height / 3, width: whole.width / 2,
            height: whole.height / 2)
          let left = try decoder.decode(bytes, header, part: box, denominator: 1, into: part)
          for y in 0..<box.height {
            let count = box.width * whole.channels
            let ours = part.pointer + y * part.rowBytes + left * part.channels
            let theirs =
              whole.pointer + (box.top + y) * whole.rowBytes + box.left * whole.channels
            #expect(memcmp(ours, theirs, count) == 0, "\(file.lastPathComponent) row \(y)")
          }
        }
      }
    }
  }

  @Test func greyPhotographsAreFoundAndConverted() throws {
    try RealImages.withJPEGs("imagenette224/imagenette224-smoke.tar.gz") { files in
      #expect(files.count == 120)
      for file in files {
        let picture = try ImagingFixtures.decode([UInt8](try Data(contentsOf: file)))
        #expect((picture.width, picture.height) == (224, 224))
        let color = Picture()
        ChannelConversion.convert(picture.view, to: 3, into: color)
        #expect(color.count == 3 * 224 * 224)
      }
    }
  }
}
