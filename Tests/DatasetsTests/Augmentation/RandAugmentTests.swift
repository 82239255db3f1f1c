import Datasets
import Tensors
import Testing

@Suite struct RandAugmentTests {
  /// The sheet has a row for every operation: magnitudes 9 and 8.3, each as it is and negated.
  @Test(arguments: 0..<15)
  func everyOperationHasTimmsPixels(_ index: Int) throws {
    let sheet = try ImagingFixtures.picture("randaugment.png")
    let operation = RandAugmentOperation.allCases[index]
    for column in 0..<4 {
      var picture = try ImagingFixtures.picture("source-small.png")
      var scratch = Picture()
      operation.apply(
        to: &picture, magnitude: column < 2 ? 9 : 8.3, negated: column % 2 == 1,
        fill: PixelStatistics.imageNet.fill, scratch: &scratch)
      let expected = Picture(width: 30, height: 23, channels: 3)
      for y in 0..<23 {
        let from = sheet.pointer + (index * 23 + y) * sheet.rowBytes + column * expected.rowBytes
        (expected.pointer + y * expected.rowBytes).update(from: from, count: expected.rowBytes)
      }
      #expect(difference(picture, expected) == (0, 0), "\(operation), column \(column)")
    }
  }

  @Test func theLargestMagnitudeMakesPosterizeBlack() {
    var (picture, scratch) = (wavyPicture(width: 9, height: 9), Picture())
    RandAugmentOperation.posterize.apply(
      to: &picture, magnitude: 10, negated: false, fill: .zero, scratch: &scratch)
    #expect(picture.bytes.allSatisfy { $0 == 0 })
  }

  @Test func fillIsTheMeanColour() {
    #expect(PixelStatistics.imageNet.fill == SIMD4(124, 116, 104, 0))
  }

  /// Golden draws of epoch 3, sample 7, seed 42: operation 8 (contrast), coin 0.281.
  @Test func drawsAreKeyed() {
    let key = SampleKeys(seed: 42, epoch: 3, sample: 7)[.randAugment, 0]
    #expect(key.uniform(0) == 0.581417991728133)
    #expect(key.uniform(1) == 0.2814471833351069)
    #expect(key.uniform(2) == 0.48194444917231716)
    #expect(RandAugmentOperation.allCases[key.below(15, 0)] == .contrast)
  }

  @Test func operationsAreDrawnEvenly() {
    var counts = [Int](repeating: 0, count: 15)
    for sample in 0..<15_000 {
      counts[SampleKeys(seed: 1, epoch: 0, sample: sample)[.randAugment, 0].below(15, 0)] += 1
    }
    // χ² with 14 degrees of freedom: above 36.1 once in a thousand seeds.
    let squares = counts.map { Double(($0 - 1000) * ($0 - 1000)) / 1000 }
    #expect(squares.reduce(0, +) < 36.1)
  }

  @Test(arguments: [1, 3])
  func everyOperationTakesGreyAndTinyPictures(_ channels: Int) {
    for operation in RandAugmentOperation.allCases {
      for (width, height) in [(1, 1), (2, 5), (28, 28)] {
        var picture = wavyPicture(width: width, height: height, channels: channels)
        var scratch = Picture()
        operation.apply(
          to: &picture, magnitude: 9, negated: false, fill: .zero, scratch: &scratch)
        #expect((picture.width, picture.height) == (width, height))
      }
    }
  }
}
