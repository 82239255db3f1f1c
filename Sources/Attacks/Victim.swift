import Networks
import Tensors

/// A classifier as an attack sees it. Images are `[batch, channels, side, side]` in 0...1; the
/// normalisation is the victim's own. Dropout and drop path are off.
///
/// `rows` are the places of the images in the batch under attack, for the count of queries.
public protocol Victim: AnyObject {
  var description: ClassifierDescription { get }
  var queries: QueryLog { get }

  /// Scores `[batch, classes]`, before softmax.
  func logits(_ images: Tensor, rows: [Int]) throws -> Tensor

  /// The scores, and the gradient with respect to every pixel of a function of them: one forward
  /// and one reverse pass, in which no gradient of a weight is formed.
  ///
  /// Nothing couples the samples, so row i of the result is the gradient of sample i's own loss.
  /// The victim keeps neither `images` nor the results.
  ///
  /// - Parameter cotangent: writes d function / d logits, `[batch, classes]`, for given logits.
  func gradient(
    _ images: Tensor, rows: [Int], of cotangent: (_ logits: Tensor, _ cotangent: Tensor) -> Void
  ) throws -> (logits: Tensor, gradient: Tensor)
}

/// How often a victim was asked about each image of the batch under attack.
public final class QueryLog {
  public struct Count: Sendable, Equatable {
    public var forwards = 0
    public var gradients = 0
    /// Gradients that were zero everywhere: the mark of a saturated or masked model.
    public var zeroGradients = 0

    public init() {}
  }

  /// By place in the batch; empty while nobody counts.
  public private(set) var counts: [Count] = []

  public init() {}

  /// Counts from zero for a batch of `count` images; 0 ends counting.
  public func begin(count: Int) { counts = [Count](repeating: Count(), count: count) }

  package func recordForward(_ rows: [Int]) {
    guard !counts.isEmpty else { return }
    for row in rows { counts[row].forwards += 1 }
  }

  package func recordGradient(_ gradient: Tensor, _ rows: [Int]) {
    guard !counts.isEmpty else { return }
    let width = gradient.count / max(rows.count, 1)
    for (position, row) in rows.enumerated() {
      let values = UnsafeBufferPointer(start: gradient.pointer + position * width, count: width)
      counts[row].gradients += 1
      counts[row].zeroGradients += values.contains { $0 != 0 } ? 0 : 1
    }
  }
}
