import Tensors

/// The parameters of a batch normalisation: two that are learned, two that are collected.
public struct BatchNormParameters: Sendable {
  public let scale: Parameter
  public let shift: Parameter
  public let runningMean: Parameter
  public let runningVariance: Parameter

  public init(
    scale: Parameter, shift: Parameter, runningMean: Parameter, runningVariance: Parameter
  ) {
    self.scale = scale
    self.shift = shift
    self.runningMean = runningMean
    self.runningVariance = runningVariance
  }

  var all: [Parameter] { [scale, shift, runningMean, runningVariance] }
}

extension Context {
  /// γ (x - μ) / σ + β for every channel (Ioffe and Szegedy, 2015).
  ///
  /// In the training phase μ and σ² are those of all rows of x, and their share of the global
  /// batch's statistics, mean and unbiased variance, is added to the gradients of the running
  /// values; in the evaluation phase the running values take their place.
  ///
  /// - Parameter x: `[batch, …, channels]`
  public func batchNorm(
    _ x: Variable, _ norm: BatchNormParameters, epsilon: Float
  ) -> Variable {
    let (rows, width) = (x.shape.rows, x.shape[-1])
    let statistics = ChannelStatistics(
      mean: Tensor([width], from: pool), inverse: Tensor([width], from: pool),
      factor: Tensor([width], from: pool), offset: Tensor([width], from: pool))
    let isTraining = phase == .training
    if isTraining {
      BatchNormalization.moments(
        x.tensor.pointer, rows: rows, width: width, mean: statistics.mean.pointer,
        variance: statistics.inverse.pointer)
      collect(statistics, norm, samples: x.shape[0], rows: rows)
    } else {
      statistics.mean.pointer.update(from: parameters[norm.runningMean].pointer, count: width)
      statistics.inverse.pointer
        .update(from: parameters[norm.runningVariance].pointer, count: width)
    }
    statistics.finish(
      scale: parameters[norm.scale].pointer, shift: parameters[norm.shift].pointer,
      epsilon: epsilon)
    let y = Tensor(x.shape, from: pool)
    statistics.apply(x.tensor, into: y)

    let input = saved(x)
    let xEdge = x.edge
    return record(
      "batchNorm", y, from: [x], parameters: norm.all,
      regenerate: { [pool] in
        let again = Tensor(xEdge.shape, from: pool)
        statistics.apply(input(), into: again)
        return again
      },
      pullback: { dy, tape in
        statistics.differentiate(
          input(), dy, scale: tape.gradient(of: norm.scale), shift: tape.gradient(of: norm.shift),
          to: xEdge, ownStatistics: isTraining, tape)
      })
  }

  /// Adds samples / global batch · (mean, unbiased variance) to the gradients of the running values.
  private func collect(
    _ statistics: ChannelStatistics, _ norm: BatchNormParameters, samples: Int, rows: Int
  ) {
    guard !isReplay, let weight = statisticsWeight, let tape,
      let mean = tape.gradient(of: norm.runningMean),
      let variance = tape.gradient(of: norm.runningVariance)
    else { return }
    let share = weight * Float(samples)
    let unbiased = share * (Float(rows) / Float(max(rows - 1, 1)))
    let width = statistics.mean.count
    Elementwise.add(statistics.mean.pointer, times: share, to: mean, count: width)
    Elementwise.add(statistics.inverse.pointer, times: unbiased, to: variance, count: width)
  }
}

/// What normalisation does to every channel, kept for the backward pass: y = factor x + offset.
private struct ChannelStatistics {
  let mean: Tensor
  /// The variance until `finish`, 1/σ after.
  let inverse: Tensor
  let factor: Tensor
  let offset: Tensor

  func finish(scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, epsilon: Float) {
    let (mean, inverse) = (mean.pointer, inverse.pointer)
    for i in 0..<self.mean.count {
      inverse[i] = 1 / (inverse[i] + epsilon).squareRoot()
      factor.pointer[i] = scale[i] * inverse[i]
      offset.pointer[i] = shift[i] - mean[i] * factor.pointer[i]
    }
  }

  func apply(_ x: Tensor, into y: Tensor) {
    BatchNormalization.apply(
      x.pointer, rows: x.shape.rows, width: mean.count, factor: factor.pointer,
      offset: offset.pointer, into: y.pointer)
  }

  /// dγ += Σ dy x̂, dβ += Σ dy; dx = γ/σ (dy - mean(dy) - x̂ mean(dy x̂)), or γ/σ dy where the
  /// statistics are not x's own.
  func differentiate(
    _ x: Tensor, _ dy: Tensor, scale: UnsafeMutablePointer<Float>?,
    shift: UnsafeMutablePointer<Float>?, to edge: Edge, ownStatistics: Bool, _ tape: Tape
  ) {
    let (rows, width) = (x.shape.rows, mean.count)
    let sums = Tensor.zeros([2, width], from: tape.pool)
    let (plain, weighted) = (sums.pointer, sums.pointer + width)
    if scale != nil || ownStatistics {
      ColumnSums.add(dy.pointer, rows: rows, width: width, to: plain)
      ColumnSums.addProducts(
        dy.pointer, x.pointer, minus: mean.pointer, rows: rows, width: width, to: weighted)
    }
    if let scale, let shift {
      for i in 0..<width {
        scale[i] += weighted[i] * inverse.pointer[i]
        shift[i] += plain[i]
      }
    }
    if edge.isTracked {
      let (dx, adding) = tape.accumulator(for: edge)
      guard ownStatistics else {
        return ChannelScaling.backward(
          dy.pointer, rows: rows, width: width, factor: factor.pointer, into: dx.pointer,
          adding: adding)
      }
      let share = 1 / Float(rows)
      for i in 0..<width {
        let inverse = inverse.pointer[i]
        plain[i] *= -share * factor.pointer[i]
        weighted[i] *= -share * factor.pointer[i] * inverse * inverse
      }
      BatchNormalization.inputGradient(
        x.pointer, gradient: dy.pointer, rows: rows, width: width, center: mean.pointer,
        a: factor.pointer, b: weighted, c: plain, into: dx.pointer, adding: adding)
    }
    withExtendedLifetime(sums) {}
  }
}
