import Datasets
import Tensors
import Testing

@Suite struct CropTests {
  @Test func drawsAreKeyed() {
    let keys = SampleKeys(seed: 42, epoch: 3, sample: 7)
    let draws = (0..<4).map { keys[.crop, 0].uniform($0) }
    #expect(
      draws == [
        0.8065065986117985, 0.9929219183128738, 0.9889379197144691, 0.13830128197735247,
      ])
    #expect(keys[.flip, 0].uniform(0) == 0.7532766993617055)
  }

  /// With one scale and one shape the extents are known: 500 x 375, half the log-range.
  @Test func extentsFollowAreaAndShape() {
    var options = CropOptions()
    (options.scaleMin, options.scaleMax) = (0.54, 0.54)
    (options.ratioMin, options.ratioMax) = (1, 1)
    let box = options.randomResized(PixelSize(width: 500, height: 375), keys(0))
    #expect((box.width, box.height) == (318, 318))
    (options.scaleMin, options.scaleMax) = (0.08, 0.08)
    (options.ratioMin, options.ratioMax) = (0.75, 0.75)
    let small = options.randomResized(PixelSize(width: 500, height: 375), keys(0))
    #expect((small.width, small.height) == (106, 141))
  }

  @Test func shapesThatNeverFitFallBackToTheMiddle() {
    var options = CropOptions()
    options.scaleMin = 0.9
    let wide = options.randomResized(PixelSize(width: 1000, height: 100), keys(1))
    #expect(wide == PixelBox(left: 433, top: 0, width: 133, height: 100))
    let tall = options.randomResized(PixelSize(width: 100, height: 1000), keys(1))
    #expect(tall == PixelBox(left: 0, top: 433, width: 100, height: 133))
  }

  @Test func cropsLieInsideAndReachEverySide() {
    let size = PixelSize(width: 40, height: 30)
    var (left, right, bottom) = (99, 0, 0)
    for sample in 0..<2000 {
      let box = CropOptions().randomResized(size, keys(sample))
      #expect(box.left >= 0 && box.top >= 0 && box.right <= 40 && box.bottom <= 30)
      #expect(box.width > 0 && box.height > 0)
      (left, right, bottom) = (min(left, box.left), max(right, box.right), max(bottom, box.bottom))
    }
    #expect((left, right, bottom) == (0, 40, 30))
  }

  @Test func paddedCropShiftsByTheDrawnOffsets() {
    let (source, target) = (wavyPicture(width: 8, height: 6), Picture())
    for sample in 0..<50 {
      let keys = keys(sample)
      paddedCrop(source, padding: 4, keys, into: target)
      let top = keys[.crop, 0].below(9, 2) - 4
      let left = keys[.crop, 0].below(9, 3) - 4
      for y in 0..<6 {
        for x in 0..<8 {
          let (u, v) = (x + left, y + top)
          let inside = (0..<8).contains(u) && (0..<6).contains(v)
          let expected = inside ? source.pointer[(v * 8 + u) * 3 + 1] : 0
          #expect(target.pointer[(y * 8 + x) * 3 + 1] == expected)
        }
      }
    }
  }

  @Test func aFlipTwiceIsNothing() {
    for width in [1, 2, 7, 8, 31, 32, 33, 48, 97] {
      let (picture, original) = (wavyPicture(width: width, height: 3), Picture())
      original.copy(picture)
      flipHorizontally(picture)
      for i in 0..<3 * width {
        #expect(picture.pointer[i] == original.pointer[(width - 1 - i / 3) * 3 + i % 3])
      }
      flipHorizontally(picture)
      #expect(difference(picture, original) == (0, 0))
    }
  }

  /// Worked examples of DeiT's evaluation: shorter side to ⌊S / 0.875⌋, then the middle.
  @Test func evaluationKeepsTheShape() {
    let options = EvaluationOptions()
    let first = options.resized(PixelSize(width: 500, height: 375), for: 224)
    #expect(first == PixelSize(width: 341, height: 256))
    let box = EvaluationOptions.middle(of: first, 224)
    #expect((box.top, box.left) == (16, 58))
    let second = options.resized(PixelSize(width: 640, height: 427), for: 224)
    #expect(second == PixelSize(width: 383, height: 256))
    #expect(EvaluationOptions.middle(of: second, 224).left == 80)
    #expect(options.resized(PixelSize(width: 300, height: 300), for: 384).width == 438)
  }

  private func keys(_ sample: Int) -> SampleKeys { SampleKeys(seed: 3, epoch: 1, sample: sample) }
}
