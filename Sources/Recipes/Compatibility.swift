import Archives
import Checkpoints
import Training

/// Whether a checkpoint can be continued by this run, with the same bits.
struct Compatibility {
  private let plan: TrainingPlan
  private let identity: Trainer.Identity

  init(_ plan: TrainingPlan, _ identity: Trainer.Identity) {
    self.plan = plan
    self.identity = identity
  }

  /// Refuses what would silently make another run of it; says what only costs the equal bits.
  ///
  /// - Parameter comparison: of the config in the run's folder with this one; nil where there is
  ///   none, so that only the digests can be compared.
  func check(
    _ manifest: CheckpointManifest, _ comparison: ConfigComparison?, force: Bool,
    say: (String) -> Void
  ) throws {
    var differences = comparison?.changes ?? []
    func compare(_ name: String, _ then: String, _ now: String) {
      let difference = "\(name) was \(then) and is \(now)"
      if then != now, !differences.contains(difference) { differences.append(difference) }
    }
    compare("seed", "\(manifest.seed)", "\(plan.seed)")
    compare("batch.virtualShards", "\(manifest.virtualShards)", "\(plan.batches.virtualShards)")
    compare("batch.size", manifest.state["batchSize"] ?? "", "\(plan.batches.batchSize)")
    compare("the data's fingerprint", manifest.dataFingerprint, identity.dataFingerprint)
    if !differences.isEmpty, !force {
      throw CheckpointError(
        .badData, path: manifest.path,
        "the checkpoint belongs to another run: \(differences.joined(separator: "; "))",
        remedy: "Give another --output for a new run, the config and data that this one was made "
          + "with to go on, or --force to go on all the same")
    }
    for difference in differences { say("note: \(difference)") }
    for length in comparison?.lengths ?? [] {
      say("note: \(length); the learning rate follows the new length from here on")
    }
    if comparison == nil, manifest.configDigest != identity.configDigest {
      say("note: the config differs from the one the checkpoint was made with")
    }
    if manifest.blasKernel != identity.blasKernel {
      say(
        "note: the checkpoint was made with \(manifest.blasKernel) kernels, this machine uses "
          + "\(identity.blasKernel): the bits will differ")
    }
  }
}
