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

  @Test func hasPillowsBits() throws {
    let data = try Data(contentsOf: ImagingFixtures.folder.appending(path: "resize.json"))
    let cases = try JSONDecoder().decode([Case].self, from: data)
    #expect(cases.count == 16)
    let (resizer, ours) = (Resizer(), Picture())
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
}
