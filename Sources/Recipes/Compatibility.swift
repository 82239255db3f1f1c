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
  func check(_ manifest: CheckpointManifest, force: Bool, say: (String) -> Void) throws {
    var differences: [String] = []
    func compare(_ name: String, _ then: String, _ now: String) {
      if then != now { differences.append("\(name) was \(then) and is \(now)") }
    }
    compare("seed", "\(manifest.seed)", "\(plan.seed)")
    compare("batch.virtualShards", "\(manifest.virtualShards)", "\(plan.batches.virtualShards)")
    compare("batch.size", manifest.state["batchSize"] ?? "", "\(plan.batches.batchSize)")
    compare("the data's fingerprint", manifest.dataFingerprint, identity.dataFingerprint)
    if !differences.isEmpty, !force {
      throw CheckpointError(
        .badData, path: manifest.path,
        "the checkpoint belongs to another run: \(differences.joined(separator: "; "))",
        remedy: "Give the config and data it was made with, or --force to go on all the same")
    }
    for difference in differences { say("note: \(difference)") }
    if manifest.configDigest != identity.configDigest {
      say("note: the config differs from the one the checkpoint was made with")
    }
    if manifest.blasKernel != identity.blasKernel {
      say(
        "note: the checkpoint was made with \(manifest.blasKernel) kernels, this machine uses "
          + "\(identity.blasKernel): the bits will differ")
    }
  }
}
