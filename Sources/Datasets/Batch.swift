import Tensors

/// The target of one sample: a mixture of at most two classes.
public struct MixedLabel: Sendable, Equatable {
  public var label: Int
  public var partner: Int
  /// Weight λ of `label`; the partner has 1 − λ. 1 for a sample that was not mixed.
  public var weight: Float

  public init(_ label: Int, partner: Int? = nil, weight: Float = 1) {
    self.label = label
    self.partner = partner ?? label
    self.weight = weight
  }
}

/// Consecutive samples of one virtual shard, ready for the model.
public struct Batch: Sendable {
  /// `[count, channels, height, width]`, pixels in 0...1 (erased pixels may lie outside), not
  /// normalised: the model does that, so that an attack's epsilon means pixels.
  public var images: Tensor
  public var labels: [MixedLabel]
  /// Index in the data set of every sample: the key of its random draws.
  public var samples: [Int]
  /// Which repetition of the sample in its epoch (repeated augmentation).
  public var repeats: [Int]

  public init(images: Tensor, labels: [MixedLabel], samples: [Int], repeats: [Int]) {
    self.images = images
    self.labels = labels
    self.samples = samples
    self.repeats = repeats
  }

  public var count: Int { samples.count }

  public func slice(_ range: Range<Int>) -> Batch {
    Batch(
      images: images.slice(range), labels: Array(labels[range]), samples: Array(samples[range]),
      repeats: Array(repeats[range]))
  }
}
