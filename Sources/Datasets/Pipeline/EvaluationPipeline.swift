import Synchronization
import Tensors

/// Cuts a data set into chunks of consecutive samples for evaluation. A chunk is the same whoever
/// asks for it, so scores do not depend on how many ranks share the chunks; the last may be short.
public final class EvaluationPipeline: BatchProducer {
  public let source: any SampleSource
  public let image: ImageShape
  public let chunkSize: Int
  private let options: EvaluationOptions
  private let decoding: DecodingOptions
  private let skipped = Atomic<Int>(0)

  public init(
    source: any SampleSource, image: ImageShape, chunkSize: Int,
    options: EvaluationOptions = EvaluationOptions(),
    decoding: DecodingOptions = DecodingOptions()
  ) throws {
    precondition(chunkSize > 0, "chunks of \(chunkSize)")
    try options.validate()
    try decoding.validate()
    (self.source, self.image, self.chunkSize) = (source, image, chunkSize)
    (self.options, self.decoding) = (options, decoding)
  }

  public var chunkCount: Int { (source.count + chunkSize - 1) / chunkSize }

  /// Samples left out so far because their images are corrupt (`corruptImages: skip`).
  public var skippedSamples: Int { skipped.load(ordering: .relaxed) }

  /// Samples `chunk * chunkSize` and following.
  public func batch(
    _ chunk: Int, using workspace: LoaderWorkspace, from pool: BufferPool
  ) throws -> Batch {
    precondition(chunk >= 0 && chunk < chunkCount, "chunk \(chunk) of \(chunkCount)")
    let range = chunk * chunkSize..<min((chunk + 1) * chunkSize, source.count)
    let images = Tensor([range.count, image.channels, image.size, image.size], from: pool)
    var samples: [Int] = []
    samples.reserveCapacity(range.count)
    for sample in range {
      do {
        try workspace.load(sample, of: source, channels: image.channels, decoding, place: place)
      } catch let error as ImageError {
        guard decoding.corruptImages == .skip else {
          throw SampleError(index: sample, sample: source.describe(sample), cause: error)
        }
        skipped.add(1, ordering: .relaxed)
        continue
      }
      workspace.picture.writePlanes(images.pointer + samples.count * image.count)
      samples.append(sample)
    }
    return Batch(
      images: samples.count == range.count ? images : images.slice(0..<samples.count),
      labels: samples.map { MixedLabel(source.label($0)) }, samples: samples,
      repeats: [Int](repeating: 0, count: samples.count))
  }

  private func place(_ size: PixelSize) -> Placement {
    guard size != PixelSize(width: image.size, height: image.size) else {
      return Placement(box: size.box, size: size, interpolation: options.interpolation)
    }
    let resized = options.resized(size, for: image.size)
    return Placement(
      box: size.box, size: resized, cut: EvaluationOptions.middle(of: resized, image.size),
      interpolation: options.interpolation)
  }
}
