import Tensors

extension Context {
  /// γ (x - μ) / σ + β over the last axis. The output is made again in the backward pass from the
  /// two statistics of each row: it is cheaper to compute than to keep.
  public func layerNorm(
    _ x: Variable, scale: Parameter, shift: Parameter, epsilon: Float
  ) -> Variable {
    let (rows, width) = (x.shape.rows, x.shape[-1])
    let statistics = Tensor([2, rows], from: pool)
    let (mean, inverse) = (statistics.pointer, statistics.pointer + rows)
    let y = Tensor(x.shape, from: pool)
    let (gamma, beta) = (parameters[scale].pointer, parameters[shift].pointer)
    LayerNormalization.forward(
      x.tensor.pointer, rows: rows, width: width, epsilon: epsilon, scale: gamma, shift: beta,
      into: y.pointer, mean: mean, inverseDeviation: inverse)

    let input = saved(x)
    let xEdge = x.edge
    return record(
      "layerNorm", y, from: [x], parameters: [scale, shift],
      regenerate: { [pool] in
        let again = Tensor(xEdge.shape, from: pool)
        let mean = statistics.pointer
        withExtendedLifetime((input(), statistics)) { x, _ in
          LayerNormalization.normalize(
            x.pointer, rows: rows, width: width, scale: gamma, shift: beta,
            into: again.pointer, mean: mean, inverseDeviation: mean + rows)
        }
        return again
      },
      pullback: { [pool] dy, tape in
        let (dx, adding) =
          xEdge.isTracked ? tape.accumulator(for: xEdge) : (Tensor(xEdge.shape, from: pool), false)
        let mean = statistics.pointer
        withExtendedLifetime((input(), statistics, dx)) { x, _, dx in
          LayerNormalization.backward(
            x.pointer, gradient: dy.pointer, rows: rows, width: width, scale: gamma,
            mean: mean, inverseDeviation: mean + rows, into: dx.pointer, adding: adding,
            scaleGradient: tape.gradient(of: scale), shiftGradient: tape.gradient(of: shift))
        }
      })
  }
}
