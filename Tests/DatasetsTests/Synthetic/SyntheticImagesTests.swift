import Configuration
import Datasets
import Tensors
import Testing

@Suite struct SyntheticImagesTests {
  @Test func imagesAreAFunctionOfSeedSplitAndIndex() throws {
    func image(_ index: Int, seed: UInt64 = 1, _ split: SyntheticImages.Split = .train) throws
      -> [UInt8]
    {
      var options = SyntheticOptions()
      options.seed = seed
      var bytes: [UInt8] = [1, 2, 3]
      let source = try SyntheticImages(options, split: split)
      #expect(
        try source.read(index, into: &bytes) == .raw(width: 32, height: 32, channels: 3))
      return bytes
    }
    #expect(try image(3) == image(3))
    #expect(try image(3) != image(13))
    #expect(try image(3) != image(3, seed: 2))
    #expect(try image(3) != image(3, .validation))
    #expect(try image(3).count == 3072)
  }

  @Test func classesAreBalancedAndNamed() throws {
    let source = try SyntheticImages(SyntheticOptions(), split: .train)
    #expect(source.classes.count == 10 && source.classes.first == "disc")
    #expect(source.count == 10_000)
    #expect((0..<20).map(source.label) == Array(0..<10) + Array(0..<10))
    #expect(source.describe(12) == "synthetic train image 12 (square)")
  }

  /// Class means are alike: no linear map of the pixels, and no colour, gives the class away.
  @Test func meanColoursDoNotTellTheClass() throws {
    let source = try SyntheticImages(SyntheticOptions(), split: .train)
    var sums = [Double](repeating: 0, count: 10)
    var bytes: [UInt8] = []
    for index in 0..<5000 {
      _ = try source.read(index, into: &bytes)
      sums[index % 10] += Double(bytes.reduce(0) { $0 + Int($1) }) / 3072
    }
    let means = sums.map { $0 / 500 }
    // The mean grey of an image varies by some 45 levels: four standard errors of 500 are 8.
    #expect(means.max()! - means.min()! < 16)
  }

  @Test func otherSizesShowTheSameScene() throws {
    var options = SyntheticOptions()
    options.imageSize = 64
    var (small, large): ([UInt8], [UInt8]) = ([], [])
    _ = try SyntheticImages(SyntheticOptions(), split: .train).read(5, into: &small)
    #expect(
      try SyntheticImages(options, split: .train).read(5, into: &large)
        == .raw(width: 64, height: 64, channels: 3))
    let means = [small, large].map { Double($0.reduce(0) { $0 + Int($1) }) / Double($0.count) }
    #expect(abs(means[0] - means[1]) < 3)  // noise and edges average out
  }

  @Test func badOptionsAreNamed() {
    var options = SyntheticOptions()
    options.imageSize = 4
    #expect(throws: ConfigurationError.self) { try options.validate() }
  }
}
