import Tensors

/// Makes batches on demand: a pure function of the request, so that it does not matter which thread
/// runs it or when.
public protocol BatchProducer: Sendable {
  associatedtype Request: Sendable

  /// - Throws: `SampleError` naming the sample; whatever the source throws.
  func batch(
    _ request: Request, using workspace: LoaderWorkspace, from pool: BufferPool
  ) throws -> Batch
}

/// One virtual shard of a global batch.
public struct ShardRequest: Sendable, Hashable {
  public var epoch: Int
  /// Within the epoch.
  public var step: Int
  public var shard: Int

  public init(epoch: Int, step: Int, shard: Int) {
    (self.epoch, self.step, self.shard) = (epoch, step, shard)
  }
}

/// Extents of the images a model takes.
public struct ImageShape: Sendable, Equatable {
  /// Width and height.
  public var size: Int
  /// 1 or 3; images of the other kind are converted.
  public var channels: Int

  public init(size: Int, channels: Int = 3) {
    precondition(size > 0 && (channels == 1 || channels == 3), "\(size) x \(size) x \(channels)")
    (self.size, self.channels) = (size, channels)
  }

  public var count: Int { size * size * channels }
}
