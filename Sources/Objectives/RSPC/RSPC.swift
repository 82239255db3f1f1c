import Attacks
import Autograd
import Configuration
import Networks
import Optimizers
import Tensors

/// Reducing sensitivity to patch corruptions (Guo et al., CVPR 2023):
///
///     min_F max_C  L_ce(x) + λ L_align(x, x̂),   x̂ = m ⊙ x + (1 − m) ⊙ δ
///
/// A small corruption model C chooses the patches that noise replaces so that the features of every
/// block change most; F learns to classify the clean image and to keep its features. Both move by one
/// backward pass: C's gradient is reversed on its way.
///
/// Decided where the published code leaves traps: cross-entropy never reaches C unless batch statistics
/// are joint (the occluded half is a pass of its own); the gradient scale that mixed precision gave C
/// by accident is an option; ties and ρ = 0 or 1 follow the mode of the mask.
public struct RSPC: Objective {
  public static let kind = "rspc"
  public static let about = "features kept under learned patch corruption, around another objective"

  public enum Mode: String, Codable, Sendable {
    /// As the published trainer: C by SGD with Nesterov momentum at a rate of its own, its gradient
    /// scaled, clipped twice.
    case official
    /// As Algorithm 1 of the paper: plain ascent at the model's learning rate.
    case algorithm1
  }

  /// Of models that normalise batches, over what their statistics are.
  public enum BatchStatistics: String, Codable, Sendable {
    /// Each half by its own; the running ones follow the clean half.
    case split
    /// Both halves in one pass, as in the code: the clean half's loss then depends on the occluded
    /// images, and its gradient reaches C, larger than the alignment's. Other regularizers see both.
    case joint
  }

  /// What is minimised besides the alignment.
  public var of = Choice<ObjectiveCatalog>()
  public var mode = Mode.official
  /// ρ: the part of the patches that is occluded.
  public var rho = 0.1
  /// λ: weight of the alignment; 0 trains without it, to the bit.
  public var lambda = 0.005
  /// Side of the corrupted patches in pixels; 0 for a side of the model's own tokens.
  public var patchSize = 0
  public var selection = MaskSelection.topk
  public var noise = OcclusionNoise.normalized
  public var distance = FeatureDistance.mse
  /// Holds the clean features, so that only the occluded ones move.
  public var stopGradClean = false
  /// Draws drop path once for both halves; the published code draws twice.
  public var sharedDropPath = false
  public var batchStatistics = BatchStatistics.split
  /// S: what mixed precision multiplied C's gradient by in the published runs; it acts through the
  /// clips. Of mode `official`.
  public var gradientScale = 65536.0
  /// C's rate, weight decay and momentum, of mode `official`.
  public var learningRate = 1e-4
  public var weightDecay = 0.05
  public var momentum = 0.9
  /// Largest norm of C's gradient, of mode `official`.
  public var maximumNorm = 5.0

  public init() {}

  public var teacher: Teacher { of.value.teacher }
  public var demands: BatchDemands { of.value.demands }
  public var replays: Int { of.value.replays }

  public func validate() throws {
    guard rho >= 0, rho <= 1 else {
      throw ConfigurationError(
        "rho", "is \(rho)", remedy: "Give the part of the patches to occlude, from 0 to 1")
    }
    guard lambda >= 0, lambda.isFinite else {
      throw ConfigurationError(
        "lambda", "is \(lambda)", remedy: "Give 0 or a positive weight, such as 0.005")
    }
    guard patchSize >= 0 else {
      throw ConfigurationError(
        "patchSize", "is \(patchSize)", remedy: "Give 0 for the model's own, or pixels")
    }
    for (key, value) in [
      ("gradientScale", gradientScale), ("learningRate", learningRate),
      ("maximumNorm", maximumNorm),
    ] where !(value > 0 && value.isFinite) {
      throw ConfigurationError(key, "is \(value)", remedy: "Give a positive number")
    }
    guard weightDecay >= 0, momentum >= 0, momentum < 1 else {
      throw ConfigurationError(
        weightDecay >= 0 ? "momentum" : "weightDecay", "is out of range",
        remedy: "Give weightDecay ≥ 0 and 0 ≤ momentum < 1")
    }
  }

  public func makeLoss(in scope: Scope, for model: any Classifier) throws -> any Loss {
    let inner = try of.value.makeLoss(in: scope, for: model)
    let image = model.description
    let patch = patchSize > 0 ? patchSize : image.tokenSide
    guard patch > 0, image.side % patch == 0 else {
      throw ConfigurationError(
        "objective.patchSize", "\(patch) does not divide the image side \(image.side)",
        remedy: "Choose a patch side that divides the image side")
    }
    guard lambda > 0, rho > 0 || selection == .official else { return inner }
    let grid = PatchGrid(channels: image.channels, side: image.side, patch: patch)
    return RSPCLoss(self, PatchCorruption(scope["rspc"], grid), around: inner)
  }

  /// How C moves.
  var opponent: Opponent {
    var rule = SGD()
    rule.learningRate = learningRate
    (rule.momentum, rule.nesterov, rule.weightDecay) = (0, false, 0)
    guard mode == .official else {
      return Opponent(optimizer: rule, clipping: GradientClipping(), followsSchedule: true)
    }
    (rule.momentum, rule.nesterov, rule.weightDecay) = (momentum, momentum > 0, weightDecay)
    var clipping = GradientClipping()
    clipping.maximumNorm = maximumNorm
    return Opponent(optimizer: rule, clipping: clipping, followsSchedule: false)
  }

  /// How the mask's gradient becomes that of the scores. In mode `official` a sample's gradient is
  /// scaled by S, clipped, and averaged as in a batch of 128 a process, the published size, so that it does
  /// not depend on how the global batch is spread: du = clip(S/128 ∂ℓ/∂m, ±1) · 128/B.
  func estimator(sampleWeight: Float) -> MaskEstimator {
    var estimator = MaskEstimator()
    guard mode == .official else { return estimator }
    let batch: Float = 128
    estimator.factor = Float(gradientScale) / (batch * sampleWeight)
    estimator.bound = 1
    estimator.share = batch * sampleWeight
    return estimator
  }
}
