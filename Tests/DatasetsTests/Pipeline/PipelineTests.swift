import Configuration
import Datasets
import Tensors
import Testing

/// Encoded pictures in memory; those in `corrupt` are cut short.
struct PictureSource: SampleSource {
  let streams: [[UInt8]]
  let classes = ["even", "odd"]
  var count: Int { streams.count }

  init(count: Int, corrupt: Set<Int> = []) throws {
    let encoder = ImageEncoder()
    streams = try (0..<count).map { index in
      var bytes: [UInt8] = []
      let picture = wavyPicture(
        width: 40 + index % 7, height: 33 + index % 5, channels: index % 4 == 3 ? 1 : 3,
        seed: UInt64(index))
      if index % 3 == 0 {
        try encoder.png(picture, into: &bytes)
      } else {
        try encoder.jpeg(picture, into: &bytes)
      }
      if corrupt.contains(index) { bytes.removeLast(bytes.count / 2) }
      return bytes
    }
  }

  func label(_ index: Int) -> Int { index % 2 }
  func read(_ index: Int, into bytes: inout [UInt8]) throws -> StoredImage {
    bytes = streams[index]
    return .encoded
  }
  func describe(_ index: Int) -> String { "picture \(index) of a list" }
}

@Suite struct PipelineTests {
  static let everything: AugmentationOptions = {
    var options = AugmentationOptions.deit
    options.colorJitter.brightness = 0.2
    options.interpolation = .random
    return options
  }()

  @Test(arguments: [1, 3])
  func aBatchIsAPureFunctionOfItsRequest(_ channels: Int) throws {
    let source = try PictureSource(count: 21)
    let pool = BufferPool()
    let (fresh, used) = (LoaderWorkspace(), LoaderWorkspace())
    let pipeline = try make(source, channels: channels)
    for step in [2, 0, 1] {
      for shard in [1, 0] {
        let request = ShardRequest(epoch: 4, step: step, shard: shard)
        let one = try pipeline.batch(request, using: used, from: pool)
        let other = try make(source, channels: channels).batch(
          request, using: step == 2 ? fresh : LoaderWorkspace(), from: BufferPool())
        #expect(one.images.array == other.images.array)
        #expect((one.labels, one.samples) == (other.labels, other.samples))
        #expect(one.images.shape == [one.count, channels, 24, 24])
      }
    }
  }

  /// The number of shards cuts the batch, but every sample keeps its pixels.
  @Test func pixelsDoNotDependOnTheCut() throws {
    let source = try PictureSource(count: 21)
    var options = Self.everything
    options.mixing.probability = 0
    var images: [[Int: [Float]]] = []
    for (batch, shards) in [(8, 2), (4, 4), (21, 1)] {
      let pipeline = try BatchPipeline(
        source: source, image: ImageShape(size: 24), batchSize: batch, virtualShards: shards,
        seed: 11, augmentation: options)
      var seen: [Int: [Float]] = [:]
      for step in 0..<pipeline.plan.stepsPerEpoch {
        for shard in 0..<shards {
          let request = ShardRequest(epoch: 1, step: step, shard: shard)
          let batch = try pipeline.batch(request, using: LoaderWorkspace(), from: BufferPool())
          for (place, sample) in batch.samples.enumerated() {
            seen[sample] = batch.images.slice(place..<(place + 1)).array
          }
        }
      }
      images.append(seen)
    }
    #expect(images[0].count == 21)
    #expect(images[0] == images[1] && images[1] == images[2])
  }

  @Test func withoutAugmentationPixelsAreBytesOver255() throws {
    let source = try SyntheticImages(SyntheticOptions(), split: .train)
    let pipeline = try BatchPipeline(
      source: source, image: ImageShape(size: 32), batchSize: 4, virtualShards: 1, seed: 1,
      augmentation: AugmentationOptions())
    let batch = try pipeline.batch(
      ShardRequest(epoch: 0, step: 0, shard: 0), using: LoaderWorkspace(), from: BufferPool())
    var bytes: [UInt8] = []
    for (place, sample) in batch.samples.enumerated() {
      _ = try source.read(sample, into: &bytes)
      #expect(batch.labels[place] == MixedLabel(sample % 10))
      for i in stride(from: 0, to: 1024, by: 7) {
        let green = batch.images.array[place * 3072 + 1024 + i]
        #expect(green == Float(bytes[3 * i + 1]) / 255)
      }
    }
  }

  @Test func corruptImagesAreRefusedByName() throws {
    let pipeline = try make(try PictureSource(count: 21, corrupt: [5]), channels: 3)
    let error = #expect(throws: SampleError.self) { try epoch(pipeline) }
    #expect(error?.index == 5)
    #expect(error?.description.contains("picture 5 of a list") == true)
  }

  @Test func corruptImagesAreLeftOutAndCounted() throws {
    let pipeline = try make(
      try PictureSource(count: 21, corrupt: [5, 6, 20]), channels: 3, policy: .skip)
    let batches = try epoch(pipeline)
    let samples = batches.flatMap(\.samples)
    #expect(Set(samples) == Set(0..<21).subtracting([5, 6, 20]) && samples.count == 18)
    #expect(pipeline.skippedSamples == 3)
    for batch in batches {
      #expect(batch.images.shape[0] == batch.count && batch.labels.count == batch.count)
    }
  }

  /// Large images are first halved by the JPEG decoder: close to the exact way, not equal.
  @Test func halvedDecodingIsClose() throws {
    var bytes: [UInt8] = []
    try ImageEncoder().jpeg(wavyPicture(width: 160, height: 130), into: &bytes)
    struct One: SampleSource {
      let bytes: [UInt8]
      let count = 1
      let classes = ["a"]
      func label(_ index: Int) -> Int { 0 }
      func read(_ index: Int, into target: inout [UInt8]) throws -> StoredImage {
        target = bytes
        return .encoded
      }
      func describe(_ index: Int) -> String { "the image" }
    }
    func image(exact: Bool) throws -> [Float] {
      var decoding = DecodingOptions()
      decoding.exactDecode = exact
      let pipeline = try EvaluationPipeline(
        source: One(bytes: bytes), image: ImageShape(size: 32), chunkSize: 1, decoding: decoding)
      return try pipeline.batch(0, using: LoaderWorkspace(), from: BufferPool()).images.array
    }
    let (exact, halved) = (try image(exact: true), try image(exact: false))
    let errors = zip(exact, halved).map { abs($0 - $1) }
    #expect(exact != halved)
    // A box filter instead of a cubic one on waves of 30 pixels: a few grey levels.
    #expect(errors.reduce(0, +) / Float(errors.count) < 4 / 255)
  }

  @Test(arguments: [1, 4, 10, 64])
  func evaluationSeesEverySampleOnce(_ chunkSize: Int) throws {
    let source = try PictureSource(count: 21)
    let pipeline = try EvaluationPipeline(
      source: source, image: ImageShape(size: 24), chunkSize: chunkSize)
    let whole = try EvaluationPipeline(
      source: source, image: ImageShape(size: 24), chunkSize: 21
    ).batch(0, using: LoaderWorkspace(), from: BufferPool())
    var (samples, pixels): ([Int], [Float]) = ([], [])
    let workspace = LoaderWorkspace()
    for chunk in 0..<pipeline.chunkCount {
      let batch = try pipeline.batch(chunk, using: workspace, from: BufferPool())
      samples += batch.samples
      pixels += batch.images.array
    }
    #expect(samples == Array(0..<21))
    #expect(pixels == whole.images.array)
  }

  private func make(
    _ source: PictureSource, channels: Int, policy: CorruptImagePolicy = .refuse
  ) throws -> BatchPipeline {
    var decoding = DecodingOptions()
    decoding.corruptImages = policy
    let grey = PixelStatistics(mean: [0.5], std: [0.5])
    return try BatchPipeline(
      source: source, image: ImageShape(size: 24, channels: channels), batchSize: 8,
      virtualShards: 2, seed: 11, augmentation: Self.everything, decoding: decoding,
      statistics: channels == 1 ? grey : .imageNet)
  }

  @discardableResult
  private func epoch(_ pipeline: BatchPipeline) throws -> [Batch] {
    let workspace = LoaderWorkspace()
    return try (0..<pipeline.plan.stepsPerEpoch).flatMap { step in
      try (0..<pipeline.plan.virtualShards).map { shard in
        try pipeline.batch(
          ShardRequest(epoch: 0, step: step, shard: shard), using: workspace, from: BufferPool())
      }
    }
  }
}
