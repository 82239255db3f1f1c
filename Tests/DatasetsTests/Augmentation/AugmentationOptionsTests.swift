import Configuration
import Datasets
import Foundation
import Tensors
import Testing

@Suite struct AugmentationOptionsTests {
  @Test func presetsAreValidAndSurviveCoding() throws {
    for options in [AugmentationOptions(), .deit] {
      try options.validate()
      let data = try JSONEncoder().encode(options)
      #expect(try JSONDecoder().decode(AugmentationOptions.self, from: data) == options)
    }
    #expect(!AugmentationOptions().mixes)
    #expect(AugmentationOptions.deit.mixes)
  }

  @Test func valuesOutOfRangeAreNamed() {
    refused("horizontalFlip") { $0.horizontalFlip = 1.5 }
    refused("horizontalFlip") { $0.horizontalFlip = .nan }
    refused("repeats") { $0.repeats = 0 }
    refused("crop.scaleMin") { $0.crop.scaleMin = 0 }
    refused("crop.ratioMin") { $0.crop.ratioMin = 2 }
    refused("crop.padding") { $0.crop.padding = -1 }
    refused("colorJitter.contrast") { $0.colorJitter.contrast = -0.1 }
    refused("randAugment.layers") { $0.randAugment.layers = -1 }
    refused("randAugment.magnitude") { $0.randAugment.magnitude = 11 }
    refused("randAugment.magnitudeDeviation") { $0.randAugment.magnitudeDeviation = -1 }
    refused("randomErasing.areaMin") { $0.randomErasing.areaMin = 0.5 }
    refused("randomErasing.ratioMin") { $0.randomErasing.ratioMin = 0 }
    refused("mixup.alpha") { $0.mixup.alpha = -1 }
    refused("cutmix.alpha") { $0.cutmix.alpha = 1.5 }
    refused("mixing.probability") { $0.mixing.probability = 2 }
    refused("mixing.switchProbability") { $0.mixing.switchProbability = -1 }
  }

  private func refused(
    _ key: String, location: SourceLocation = #_sourceLocation,
    _ change: (inout AugmentationOptions) -> Void
  ) {
    var options = AugmentationOptions()
    change(&options)
    let error = #expect(throws: ConfigurationError.self, sourceLocation: location) {
      try options.validate()
    }
    #expect(error?.key == key, sourceLocation: location)
  }

  @Test func erasingFillsABoxWithKeyedNoise() throws {
    var options = RandomErasingOptions()
    options.probability = 1
    let size = PixelSize(width: 32, height: 24)
    let statistics = PixelStatistics(mean: [0.25, 0.5, 0.75], std: [0.1, 0.2, 0.4])
    for sample in 0..<40 {
      let keys = SampleKeys(seed: 5, epoch: 2, sample: sample)
      let box = try #require(options.box(in: size, keys))
      var planes = [Float](repeating: -9, count: 3 * 32 * 24)
      planes.withUnsafeMutableBufferPointer {
        options.apply(to: $0.baseAddress!, channels: 3, size: size, keys, statistics)
      }
      #expect(planes.count { $0 != -9 } == 3 * box.width * box.height)
      let first = planes[(24 + box.top) * 32 + box.left]
      let element = box.width * box.height
      let expected = 0.5 + 0.2 * Float(keys[.erasingNoise, 0].normal(element))
      #expect(first == expected)
      let share = Double(box.width * box.height) / Double(32 * 24)
      // Rounding of two sides of at least 4 pixels.
      #expect(share > 0.01 && share < 0.42)
    }
  }

  @Test func erasingHappensAtItsProbability() {
    let counts = (0..<4000).count { sample in
      SampleKeys(seed: 5, epoch: 0, sample: sample)[.erasingBox, 0].uniform(0) < 0.25
    }
    #expect(abs(counts - 1000) < 110)  // four standard errors
  }

  @Test func colorJitterStaysInRangeAndOffIsNothing() {
    let (picture, original) = (wavyPicture(width: 12, height: 12), Picture())
    original.copy(picture)
    let keys = SampleKeys(seed: 1, epoch: 0, sample: 4)
    ColorJitterOptions().apply(to: picture, keys)
    #expect(difference(picture, original) == (0, 0))
    var options = ColorJitterOptions()
    options.brightness = 0.4
    options.apply(to: picture, keys)
    let factor = Float(0.6 + (1.4 - 0.6) * keys[.colorJitter, 0].uniform(0))
    for (new, old) in zip(picture.bytes, original.bytes) {
      #expect(new == UInt8(min(255, factor * Float(old))))
    }
  }
}
