import Datasets
import Foundation
import Testing

@Suite struct ResizingTests {
  struct Case: Decodable {
    let file: String
    let source: String
    let size: [Int]
    let box: [Float]
    let kernel: Interpolation
  }

  /// Both ways of summing, as far as the processor has them.
  private static let ways = ResampleWeights.multipliesDigits ? [false, true] : [false]

  @Test(arguments: ways) func hasPillowsBits(_ byDigits: Bool) throws {
    let data = try Data(contentsOf: ImagingFixtures.folder.appending(path: "resize.json"))
    let cases = try JSONDecoder().decode([Case].self, from: data)
    #expect(cases.count == 16)
    let (resizer, ours) = (Resizer(byDigits: byDigits), Picture())
    for example in cases {
      let source = try ImagingFixtures.picture(example.source)
      let box = ResizeBox(
        left: example.box[0], top: example.box[1], right: example.box[2], bottom: example.box[3])
      resizer.resize(
        source.view, box: box, to: PixelSize(width: example.size[0], height: example.size[1]),
        example.kernel, into: ours)
      let theirs = try ImagingFixtures.picture(example.file)
      #expect(difference(ours, theirs) == (0, 0), "\(example.file)")
    }
  }

  /// A crop is an image of its own: nothing outside it counts (torchvision's `resized_crop`).
  @Test func aCropIsResizedAlone() {
    let source = wavyPicture(width: 61, height: 47)
    let box = PixelBox(left: 11, top: 7, width: 30, height: 33)
    let alone = Picture(width: box.width, height: box.height, channels: 3)
    for y in 0..<box.height {
      let from = source.pointer + (y + box.top) * source.rowBytes + 3 * box.left
      (alone.pointer + y * alone.rowBytes).update(from: from, count: alone.rowBytes)
    }
    let (one, other, resizer) = (Picture(), Picture(), Resizer())
    let size = PixelSize(width: 16, height: 40)
    resizer.resize(source, box: box, to: size, .bicubic, into: one)
    resizer.resize(alone, to: size, .bicubic, into: other)
    #expect(difference(one, other) == (0, 0))
  }

  /// Extents around the widths of the kernels' vectors, shrunk and enlarged, of noise, whose bicubic
  /// sums leave 0...255 on both sides.
  @Test func bothWaysOfSummingAgree() {
    guard ResampleWeights.multipliesDigits else { return }
    let (one, other) = (Picture(), Picture())
    let (plain, digits) = (Resizer(byDigits: false), Resizer(byDigits: true))
    for (number, width) in [1, 5, 21, 22, 43, 64, 90].enumerated() {
      for height in [1, 4, 6, 31] {
        let source = Picture(width: width, height: height, channels: 3)
        for i in 0..<source.count {
          source.pointer[i] = (i &* 2_654_435_761 >> 7) & 8 == 0 ? 0 : 255 - UInt8(i % 3)
        }
        for (right, down) in [(1, 1), (21, 9), (22, 40), (64, 3), (200, 57)] {
          for kernel in [Interpolation.bilinear, .bicubic] {
            let size = PixelSize(width: right + number, height: down)
            plain.resize(source, to: size, kernel, into: one)
            digits.resize(source, to: size, kernel, into: other)
            #expect(difference(one, other) == (0, 0), "\(width) x \(height) to \(size)")
          }
        }
      }
    }
  }

  @Test func theSameSizeIsACopy() {
    let source = wavyPicture(width: 13, height: 9)
    let result = Picture()
    Resizer().resize(source, to: PixelSize(width: 13, height: 9), .bicubic, into: result)
    #expect(difference(source, result) == (0, 0))
  }

  @Test(arguments: [1, 3])
  func aConstantStaysConstant(_ channels: Int) {
    let source = Picture(width: 40, height: 31, channels: channels)
    source.pointer.update(repeating: 201, count: source.count)
    let (result, resizer) = (Picture(), Resizer())
    for (width, height) in [(1, 1), (7, 90), (224, 5), (39, 31), (3, 3)] {
      let size = PixelSize(width: width, height: height)
      resizer.resize(source, to: size, .bicubic, into: result)
      // Weights of 22 bits add up to one within a few units: no byte can change.
      #expect(result.bytes.allSatisfy { $0 == 201 })
    }
  }

  /// Every byte in every channel, in whole vectors and in the rest.
  @Test func planesAreBytesOver255() {
    let picture = Picture(width: 61, height: 17, channels: 3)
    for i in 0..<picture.count {
      picture.pointer[i] = UInt8(truncatingIfNeeded: i / 3 + 85 * (i % 3))
    }
    let size = picture.width * picture.height
    var planes = [Float](repeating: -1, count: 3 * size + 1)
    planes.withUnsafeMutableBufferPointer { picture.writePlanes($0.baseAddress!) }
    for i in 0..<picture.count {
      #expect(planes[i % 3 * size + i / 3] == Float(picture.pointer[i]) / 255)
    }
    #expect(planes[3 * size] == -1)
  }
}
