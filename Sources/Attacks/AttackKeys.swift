import Tensors

/// Names the samples of a batch to the random draws of an attack, so that no draw depends on a batch,
/// a rank or a thread.
public struct AttackKeys: Sendable {
  public var seed: UInt64
  public var epoch: Int
  /// Index in the data set, and repetition in the epoch, of every sample of the batch.
  public var samples: [Int]
  public var repeats: [Int]

  /// - Parameter repeats: none stands for the first time of every sample.
  public init(seed: UInt64, epoch: Int = 0, samples: [Int], repeats: [Int] = []) {
    self.seed = seed
    self.epoch = epoch
    self.samples = samples
    self.repeats = repeats.isEmpty ? [Int](repeating: 0, count: samples.count) : repeats
  }

  /// The keys of some rows of the batch.
  public func selecting(_ rows: [Int]) -> AttackKeys {
    AttackKeys(
      seed: seed, epoch: epoch, samples: rows.map { samples[$0] }, repeats: rows.map { repeats[$0] }
    )
  }

  /// The stream of one purpose for row `row` of the batch.
  func key(_ purpose: Purpose, row: Int, restart: Int = 0) -> RandomKey {
    RandomKey(
      seed: seed, purpose, epoch: epoch, sample: samples[row],
      restart: restart + (repeats[row] << 16))
  }
}
