import Glibc

/// What a test's fault does inside a step.
extension TrainingStep {
  /// Makes a shard that took so long longer on a slow rank.
  func slowDown(after seconds: Double) {
    let delay = fault?.delay(rank: communicator.rank, after: seconds) ?? 0
    if delay > 0 { usleep(UInt32(min(delay, 1000) * 1e6)) }
  }

  /// Puts a number that is none into a shard's gradient, before anything is added to it.
  func spoil(_ gradient: UnsafeMutablePointer<Float>, shard: Int, step: Int) {
    guard let fault, fault.spoils(shard: shard, step: step) else { return }
    gradient[middle] = .nan
  }

  /// Flips a bit of this rank's copy of the weights.
  func spoilReplica(step: Int) {
    guard let fault, fault.flips(rank: communicator.rank, step: step) else { return }
    let values = network.parameters.values
    values[middle] = Float(bitPattern: values[middle].bitPattern ^ 1)
  }

  /// First element of the parameter in the middle.
  private var middle: Int {
    let entries = network.parameters.layout.entries
    return entries[entries.count / 2].offset
  }
}
