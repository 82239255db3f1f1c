import Optimizers

/// Moves the running statistics of batch normalisation toward those of the global batch, which the
/// reduction summed over the virtual shards like a gradient: r ← (1 − m) r + m b.
enum RunningStatistics {
  /// m, as in PyTorch.
  static let momentum: Float = 0.1

  static func update(_ slabs: OptimizerSlabs, owned: Ownership) {
    for slice in owned.slices {
      let running = slabs.parameters + slice.start
      let batch = slabs.gradients + slice.start
      for i in 0..<slice.count { running[i] += momentum * (batch[i] - running[i]) }
    }
  }
}
