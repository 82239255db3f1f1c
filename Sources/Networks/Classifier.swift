import Autograd
import Tensors

/// What a classifier takes and gives, and how it wants its pixels normalised.
public struct ClassifierDescription: Sendable, Equatable {
  public let channels: Int
  /// Height and width of the input.
  public let side: Int
  public let classes: Int
  public let mean: [Float]
  public let deviation: [Float]
  /// Side in pixels of the square that a token stands for at the first block; the whole image's
  /// where there is none.
  public let tokenSide: Int

  public init(
    channels: Int, side: Int, classes: Int, mean: [Float], deviation: [Float], tokenSide: Int? = nil
  ) {
    self.channels = channels
    self.side = side
    self.tokenSide = tokenSide ?? side
    self.classes = classes
    self.mean = mean
    self.deviation = deviation
  }
}

/// Where a model's attention weights, `[batch, heads, queries, keys]`, can be tapped.
public struct AttentionTap: Sendable, Equatable {
  public let name: String
  public let heads: Int
  /// Tokens attended to: the length of a row.
  public let keys: Int

  public init(_ name: String, heads: Int, keys: Int) {
    self.name = name
    self.heads = heads
    self.keys = keys
  }

  /// K as a number of entries of a row: `k` itself from 1 up, that part of the row below.
  public func count(_ k: Double) -> Int {
    let count = k < 1 ? max(1, (k * Double(keys)).rounded()) : k
    return min(Int(count), keys)
  }
}

/// The heads' results for one batch: `[batch, classes]` each.
public struct Logits {
  public let classes: Variable
  /// The second head of a distilled model.
  public let distilled: Variable?

  public init(classes: Variable, distilled: Variable?) {
    self.classes = classes
    self.distilled = distilled
  }

  /// What the model predicts: the mean of the logits of both heads (DeiT's code; its paper says the
  /// mean of the probabilities).
  public func prediction(_ cx: Context) -> Variable {
    guard let distilled else { return classes }
    return cx.scale(cx.add(classes, distilled), by: 0.5)
  }
}

/// A model from pixels `[batch, channels, side, side]` in 0...1 to class scores.
public protocol Classifier: AnyObject {
  var description: ClassifierDescription { get }
  /// Offers its results to the context's taps; more names than below are documented with each model.
  func callAsFunction(_ images: Variable, _ cx: Context) -> Logits
  /// Taps of the tokens after each block, `[batch, tokens, width]`, in order.
  var blockOutputs: [String] { get }
  /// Taps of the attention weights, in order.
  var attentions: [AttentionTap] { get }
  /// Multiply-adds of one image's forward pass, products only: what MFU is measured against.
  var multiplyAdds: Int { get }
  /// Of those, what is left out since only some tokens of the last block are read.
  var unreadMultiplyAdds: Int { get }
  /// A position embedding that is not learned, `[1, tokens, width]`; nil if it is a parameter.
  var fixedPositions: Tensor? { get }
  /// Whether training normalises by statistics of the images that go through the model together,
  /// so that the result of one depends on the others.
  var usesBatchStatistics: Bool { get }
}

extension Classifier {
  public var blockOutputs: [String] { [] }
  public var attentions: [AttentionTap] { [] }
  public var usesBatchStatistics: Bool { false }
  public var unreadMultiplyAdds: Int { 0 }
}
