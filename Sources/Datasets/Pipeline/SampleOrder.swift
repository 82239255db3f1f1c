/// One visit of a sample: its index in the data set, and which of its repetitions this is.
public struct SampleVisit: Sendable, Hashable {
  public var sample: Int
  public var repetition: Int

  public init(sample: Int, repetition: Int = 0) {
    (self.sample, self.repetition) = (sample, repetition)
  }
}

/// The order in which training visits the samples: every epoch has `count` slots.
///
/// Without repeated augmentation an epoch is a permutation of the samples. With k repetitions, k
/// epochs share one permutation whose entries each come k times in succession (Hoffer et al., 2020):
/// every sample is visited k times in k epochs, and none is dropped.
public struct SampleOrder: Sendable {
  public let count: Int
  public let seed: UInt64
  public let repeats: Int

  public init(count: Int, seed: UInt64, repeats: Int = 1) {
    precondition(count > 0 && repeats > 0, "\(count) samples, \(repeats) repeats")
    (self.count, self.seed, self.repeats) = (count, seed, repeats)
  }

  /// The visits in `slots` (within 0 ..< count) of an epoch.
  public func visits(epoch: Int, _ slots: Range<Int>) -> [SampleVisit] {
    precondition(slots.lowerBound >= 0 && slots.upperBound <= count, "\(slots) of \(count) slots")
    let permutation = permutation(epoch)
    let start = epoch % repeats * count
    return slots.map { slot in
      let (entry, repetition) = (start + slot).quotientAndRemainder(dividingBy: repeats)
      return SampleVisit(sample: permutation(entry), repetition: repetition)
    }
  }

  /// The slot of a visit in an epoch, or nil if it belongs to another epoch of the cycle.
  public func slot(epoch: Int, of visit: SampleVisit) -> Int? {
    let entry = permutation(epoch).position(of: visit.sample)
    let slot = entry * repeats + visit.repetition - epoch % repeats * count
    return slot >= 0 && slot < count ? slot : nil
  }

  private func permutation(_ epoch: Int) -> FeistelPermutation {
    FeistelPermutation(count: count, seed: seed, cycle: epoch / repeats)
  }
}
