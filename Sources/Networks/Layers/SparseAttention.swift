import Autograd
import Tensors

/// A model of which every attention row keeps its K largest weights only: what the penalty method
/// drives a model toward, enforced. The choice counts as a constant in the gradient.
public final class SparseAttention: Classifier {
  private let model: any Classifier
  private let interpositions: [String: Taps.Interposition]

  /// - Parameters:
  ///   - k: entries kept of a row from 1 up, a part of the row below 1.
  ///   - renormalizing: divides by the mass that is kept, so that rows again sum to one.
  public init(_ model: any Classifier, k: Double, renormalizing: Bool) {
    self.model = model
    interpositions = Dictionary(
      uniqueKeysWithValues: model.attentions.map { attention in
        let count = attention.count(k)
        return (
          attention.name,
          { weights, cx in cx.keepingLargest(of: weights, count, renormalizing: renormalizing) }
        )
      })
  }

  public func callAsFunction(_ images: Variable, _ cx: Context) -> Logits {
    var sparse = cx
    sparse.taps = Taps(interposing: interpositions, inside: cx.taps)
    return model(images, sparse)
  }

  public var description: ClassifierDescription { model.description }
  public var blockOutputs: [String] { model.blockOutputs }
  public var attentions: [AttentionTap] { model.attentions }
  public var multiplyAdds: Int { model.multiplyAdds }
  public var unreadMultiplyAdds: Int { model.unreadMultiplyAdds }
  public var fixedPositions: Tensor? { model.fixedPositions }
  public var usesBatchStatistics: Bool { model.usesBatchStatistics }
}

extension Network {
  /// The same weights behind attention that keeps the K largest of every row.
  public func keepingAttention(_ k: Double, renormalizing: Bool) -> Network {
    Network(
      backbone: backbone, model: SparseAttention(model, k: k, renormalizing: renormalizing),
      parameters: parameters)
  }
}
