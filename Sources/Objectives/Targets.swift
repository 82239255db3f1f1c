import Datasets
import Tensors

extension Batch {
  /// Target distributions `[count, classes]`: mixtures of at most two classes, smoothed by
  /// `smoothing` α, (1 - α) · mixture + α / classes (Szegedy et al., 2016).
  public func targets(classes: Int, smoothing: Double, from pool: BufferPool) -> Tensor {
    let targets = Tensor([count, classes], from: pool)
    targets.elements.update(repeating: Float(smoothing / Double(classes)))
    let certain = Float(1 - smoothing)
    for (row, label) in labels.enumerated() {
      targets.pointer[row * classes + label.label] += certain * label.weight
      if label.weight != 1 {
        targets.pointer[row * classes + label.partner] += certain * (1 - label.weight)
      }
    }
    return targets
  }
}
