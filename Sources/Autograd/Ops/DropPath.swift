import Tensors

extension Context {
  /// x + branch, where the branch of each sample is dropped with probability `rate` and divided by
  /// 1 - rate otherwise (stochastic depth; Huang et al., 2016). `layer` tells the draws apart.
  ///
  /// Only for the training phase with 0 < rate ≤ 1: a plain residual sum rides in `linear`.
  public func dropPath(
    _ x: Variable, branch: Variable, rate: Float, layer: Int
  ) -> Variable {
    guard let keys else { preconditionFailure("drop path draws need the keys of the samples") }
    let batch = x.shape[0]
    let run = x.shape.count / batch
    let factors = (0..<batch).map { sample -> Float in
      let kept = keys.key(.dropPath, sample, layer: layer).uniform() < Double(1 - rate)
      return kept ? 1 / (1 - rate) : 0
    }
    let y = Tensor(x.shape, from: pool)
    for (sample, factor) in factors.enumerated() {
      let start = sample * run
      if factor == 0 {
        (y.pointer + start).update(from: x.tensor.pointer + start, count: run)
      } else {
        Elementwise.add(
          x.tensor.pointer + start, branch.tensor.pointer + start, times: factor,
          into: y.pointer + start, count: run)
      }
    }

    let (xEdge, branchEdge) = (x.edge, branch.edge)
    return record("dropPath", y, from: [x, branch]) { d, tape in
      if branchEdge.isTracked {
        let dBranch = Tensor(branchEdge.shape, from: tape.pool)
        for (sample, factor) in factors.enumerated() {
          Elementwise.scale(
            d.pointer + sample * run, by: factor, into: dBranch.pointer + sample * run, count: run)
        }
        tape.give(dBranch, to: branchEdge)
      }
      tape.give(d, to: xEdge)
    }
  }
}
