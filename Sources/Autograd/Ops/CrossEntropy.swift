import Tensors

extension Context {
  /// -weight · Σ over samples and classes of target · log softmax(logits): a scalar.
  ///
  /// - Parameters:
  ///   - logits: `[batch, classes]`
  ///   - targets: `[batch, classes]`; rows are distributions, or have the weight a sample is to have.
  ///   - weight: one over the number of samples of the *global* batch makes the sum a mean.
  public func crossEntropy(_ logits: Variable, targets: Tensor, weight: Float) -> Variable {
    let (batch, classes) = (logits.shape[0], logits.shape[1])
    precondition(targets.count == logits.tensor.count, "\(targets.shape) against \(logits.shape)")
    let probabilities = logits.tensor.copy(from: pool)
    Softmax.forward(probabilities.pointer, rows: batch, width: classes, factor: 1)
    var loss = 0.0
    for sample in 0..<batch {
      let start = sample * classes
      let z = logits.tensor.pointer + start
      loss -= Self.logLikelihood(z, targets.pointer + start, classes)
    }
    let value = Tensor([1], [Float(loss) * weight], from: pool)

    let edge = logits.edge
    return record("crossEntropy", value, from: [logits]) { seed, tape in
      let factor = weight * seed.pointer[0]
      for sample in 0..<batch {
        let p = probabilities.pointer + sample * classes
        let t = targets.pointer + sample * classes
        let total = Elementwise.sum(t, count: classes)
        for c in 0..<classes { p[c] = factor * (p[c] * total - t[c]) }
      }
      tape.give(probabilities, to: edge)
    }
  }

  /// Σ t log softmax(z) of one row, in double precision.
  static func logLikelihood(
    _ z: UnsafePointer<Float>, _ t: UnsafePointer<Float>, _ classes: Int
  ) -> Double {
    let normalizer = logSumExp(z, classes)
    var sum = 0.0
    for c in 0..<classes where t[c] != 0 { sum += Double(t[c]) * (Double(z[c]) - normalizer) }
    return sum
  }
}

/// log Σ exp(z), shifted by the greatest score.
public func logSumExp(_ z: UnsafePointer<Float>, _ count: Int) -> Double {
  var greatest = -Double.infinity
  for i in 0..<count { greatest = max(greatest, Double(z[i])) }
  guard greatest.isFinite else { return greatest.isNaN ? .nan : greatest }
  var sum = 0.0
  for i in 0..<count { sum += exponential(Double(z[i]) - greatest) }
  return greatest + logarithm(sum)
}
