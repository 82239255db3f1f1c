import Tensors

/// Where all random draws of one sample come from: a pure function of the run's seed, the epoch, the
/// sample's index in the data set and the repetition. Never of a batch, a rank or a thread.
package struct SampleKeys: Sendable {
  package var seed: UInt64
  package var epoch: Int
  package var sample: Int
  package var repetition: Int

  package init(seed: UInt64, epoch: Int, sample: Int, repetition: Int = 0) {
    (self.seed, self.epoch) = (seed, epoch)
    (self.sample, self.repetition) = (sample, repetition)
  }

  /// The stream of a purpose; `step` is the attempt or layer.
  package subscript(purpose: Purpose, step: Int) -> RandomKey {
    RandomKey(
      seed: seed, purpose, epoch: epoch, sample: sample, restart: repetition, step: step)
  }
}
