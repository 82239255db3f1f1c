import Synchronization
import Tensors

/// Turns a data set into training batches: `(epoch, step, shard)` to pixels and mixed labels, a pure
/// function for a given seed. No state is kept between requests, so a run resumes anywhere at once.
public final class BatchPipeline: BatchProducer {
  public let source: any SampleSource
  public let plan: BatchPlan
  public let order: SampleOrder
  public let image: ImageShape
  private let augmentation: AugmentationOptions
  private let decoding: DecodingOptions
  private let statistics: PixelStatistics
  private let skipped = Atomic<Int>(0)

  /// - Parameters:
  ///   - statistics: of the model's normalisation, for erased rectangles and filled borders.
  /// - Throws: `ConfigurationError` for options that do not fit each other.
  public init(
    source: any SampleSource, image: ImageShape, batchSize: Int, virtualShards: Int, seed: UInt64,
    augmentation: AugmentationOptions, decoding: DecodingOptions = DecodingOptions(),
    statistics: PixelStatistics = .imageNet
  ) throws {
    try augmentation.validate()
    try decoding.validate()
    precondition(statistics.mean.count == image.channels, "statistics of other channels")
    plan = try BatchPlan(
      sampleCount: source.count, batchSize: batchSize, virtualShards: virtualShards)
    try plan.checkMixing(augmentation)
    order = SampleOrder(count: source.count, seed: seed, repeats: augmentation.repeats)
    (self.source, self.image, self.augmentation) = (source, image, augmentation)
    (self.decoding, self.statistics) = (decoding, statistics)
  }

  /// Samples left out so far because their images are corrupt (`corruptImages: skip`).
  public var skippedSamples: Int { skipped.load(ordering: .relaxed) }

  /// Which samples a shard holds, before any is left out.
  public func visits(_ request: ShardRequest) -> [SampleVisit] {
    order.visits(
      epoch: request.epoch, plan.slots(step: request.step, shard: request.shard))
  }

  public func batch(
    _ request: ShardRequest, using workspace: LoaderWorkspace, from pool: BufferPool
  ) throws -> Batch {
    var visits = visits(request)
    let images = Tensor([visits.count, image.channels, image.size, image.size], from: pool)
    var used = 0
    for visit in visits {
      let place = images.pointer + used * image.count
      guard try prepare(visit, epoch: request.epoch, workspace, into: place) else { continue }
      visits[used] = visit
      used += 1
    }
    visits.removeLast(visits.count - used)
    var labels = visits.map { MixedLabel(source.label($0.sample)) }
    let kept = used == images.shape[0] ? images : images.slice(0..<used)
    let group = request.step * plan.virtualShards + request.shard
    workspace.withFloats(image.count) {
      mix(
        kept, &labels, augmentation, seed: order.seed, epoch: request.epoch, group: group,
        scratch: $0)
    }
    return Batch(
      images: kept, labels: labels, samples: visits.map(\.sample),
      repeats: visits.map(\.repetition))
  }

  /// Writes one augmented image; false if it is to be left out.
  private func prepare(
    _ visit: SampleVisit, epoch: Int, _ workspace: LoaderWorkspace,
    into place: UnsafeMutablePointer<Float>
  ) throws -> Bool {
    let keys = SampleKeys(
      seed: order.seed, epoch: epoch, sample: visit.sample, repetition: visit.repetition)
    do {
      try workspace.load(visit.sample, of: source, channels: image.channels, decoding) {
        augmentation.placement($0, image.size, keys)
      }
    } catch let error as ImageError {
      guard decoding.corruptImages == .skip else {
        throw SampleError(
          index: visit.sample, sample: source.describe(visit.sample), cause: error)
      }
      skipped.add(1, ordering: .relaxed)
      return false
    }
    augmentation.apply(to: workspace, keys, statistics, into: place)
    return true
  }
}

extension AugmentationOptions {
  /// The part of an image of `size` that is used, at `side` x `side` pixels.
  package func placement(_ size: PixelSize, _ side: Int, _ keys: SampleKeys) -> Placement {
    let square = PixelSize(width: side, height: side)
    let interpolation: Interpolation =
      switch interpolation {
      case .bilinear: .bilinear
      case .bicubic: .bicubic
      case .random: keys[.crop, 0].uniform(4) < 0.5 ? .bilinear : .bicubic
      }
    guard crop.kind != .randomResized else {
      return Placement(
        box: crop.randomResized(size, keys), size: square, interpolation: interpolation)
    }
    guard size != square else {
      return Placement(box: size.box, size: size, interpolation: interpolation)
    }
    let resized = EvaluationOptions.shorterSide(of: size, to: side)
    return Placement(
      box: size.box, size: resized, cut: EvaluationOptions.middle(of: resized, side),
      interpolation: interpolation)
  }

  /// What comes after the resize, from `workspace.picture` to numbers.
  package func apply(
    to workspace: LoaderWorkspace, _ keys: SampleKeys, _ statistics: PixelStatistics,
    into planes: UnsafeMutablePointer<Float>
  ) {
    if crop.kind == .padded {
      paddedCrop(workspace.picture, padding: crop.padding, keys, into: workspace.scratch)
      swap(&workspace.picture, &workspace.scratch)
    }
    if horizontalFlip > 0, keys[.flip, 0].uniform(0) < horizontalFlip {
      flipHorizontally(workspace.picture)
    }
    colorJitter.apply(to: workspace.picture, keys)
    randAugment.apply(
      to: &workspace.picture, keys, fill: statistics.fill, scratch: &workspace.scratch)
    let picture = workspace.picture
    picture.writePlanes(planes)
    let size = PixelSize(width: picture.width, height: picture.height)
    randomErasing.apply(to: planes, channels: picture.channels, size: size, keys, statistics)
    patches.apply(to: planes, channels: picture.channels, size: size, keys, statistics)
  }
}
