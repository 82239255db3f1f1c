import Glibc
import Tensors

extension Context {
  /// weight · Σ over samples of KL(p ‖ q), p = softmax(z), q = softmax(z′), as a scalar. Gradients flow
  /// to both: p (log p − log q − KL) and q − p.
  ///
  /// - Parameters: `z` and `other` (z′) are `[batch, classes]`.
  public func divergence(from z: Variable, to other: Variable, weight: Float) -> Variable {
    let (batch, classes) = (z.shape[0], z.shape[1])
    let slopes = [Tensor(z.shape, from: pool), Tensor(z.shape, from: pool)]
    var sum = 0.0
    for row in 0..<batch {
      let start = row * classes
      let p = LogSoftmax(z.tensor.pointer + start, classes)
      let q = LogSoftmax(other.tensor.pointer + start, classes)
      let divergence = p.divergence(from: q)
      sum += divergence
      for k in 0..<classes {
        let difference = p[k] - q[k]
        slopes[0].pointer[start + k] = Float(exp(p[k]) * (difference - divergence))
        slopes[1].pointer[start + k] = Float(exp(q[k]) - exp(p[k]))
      }
    }
    return scalar(
      "divergence", weight * Float(sum), of: [z, other], slopes: slopes, weight: weight)
  }

  /// MART's loss, weight · Σ BCE(p′, y) + β (1 − p_y) KL(p ‖ p′) with
  /// BCE = −log p′_y − log(1 − max_{k≠y} p′_k), as a scalar. Gradients flow to both, through p_y too.
  ///
  /// - Parameters:
  ///   - natural: the scores that p is of; `attacked`: those of p′; `[batch, classes]`.
  public func misclassificationAware(
    natural: Variable, attacked: Variable, labels: [Int], beta: Double, weight: Float
  ) -> Variable {
    let (batch, classes) = (natural.shape[0], natural.shape[1])
    let slopes = [Tensor(natural.shape, from: pool), Tensor(natural.shape, from: pool)]
    var sum = 0.0
    for row in 0..<batch {
      let start = row * classes
      let label = labels[row]
      let p = LogSoftmax(natural.tensor.pointer + start, classes)
      let q = LogSoftmax(attacked.tensor.pointer + start, classes)
      let divergence = p.divergence(from: q)
      let rival = q.greatest(besides: label)
      // The guards against log 0 are the published code's.
      let margin = 1.0001 - exp(q[rival])
      let doubt = 1.000_000_1 - exp(p[label])
      sum += -q[label] - log(margin + 1e-12) + beta * doubt * divergence
      for k in 0..<classes {
        let (pk, qk) = (exp(p[k]), exp(q[k]))
        let isLabel = k == label ? 1.0 : 0
        let isRival = k == rival ? 1.0 : 0
        let boosted = qk - isLabel + exp(q[rival]) * (isRival - qk) / margin
        slopes[1].pointer[start + k] = Float(boosted + beta * doubt * (qk - pk))
        let sharpness = doubt * pk * (p[k] - q[k] - divergence)
        let byDoubt = divergence * exp(p[label]) * (isLabel - pk)
        slopes[0].pointer[start + k] = Float(beta * (sharpness - byDoubt))
      }
    }
    return scalar(
      "misclassificationAware", weight * Float(sum), of: [natural, attacked], slopes: slopes,
      weight: weight)
  }

  /// A scalar whose gradients with respect to `inputs` are weight · slopes.
  private func scalar(
    _ operation: StaticString, _ value: Float, of inputs: [Variable], slopes: [Tensor],
    weight: Float
  ) -> Variable {
    let edges = inputs.map(\.edge)
    return record(operation, Tensor([1], [value], from: pool), from: inputs) { seed, tape in
      for (edge, slope) in zip(edges, slopes) where edge.isTracked {
        Elementwise.scale(
          slope.pointer, by: weight * seed.pointer[0], into: slope.pointer, count: slope.count)
        tape.give(slope, to: edge)
      }
    }
  }
}

/// log softmax of one row in double precision.
private struct LogSoftmax {
  private let scores: UnsafePointer<Float>
  private let normalizer: Double
  private let classes: Int

  init(_ scores: UnsafePointer<Float>, _ classes: Int) {
    self.scores = scores
    self.classes = classes
    normalizer = logSumExp(scores, classes)
  }

  subscript(k: Int) -> Double { Double(scores[k]) - normalizer }

  func divergence(from other: LogSoftmax) -> Double {
    (0..<classes).reduce(0.0) { $0 + exp(self[$1]) * (self[$1] - other[$1]) }
  }

  /// The likeliest class that is not `label`; the lowest of equals.
  func greatest(besides label: Int) -> Int {
    var best = label == 0 ? 1 : 0
    for k in 0..<classes where k != label && scores[k] > scores[best] { best = k }
    return best
  }
}
