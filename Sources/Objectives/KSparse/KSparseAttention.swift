import Autograd
import Configuration
import Networks

/// K-sparse attention by the penalty method: another objective plus (1/2μ) Σ |[w]_K - w|² over the
/// rows w of attention weights, with μ shrunk by c in every outer round, so that each token comes to
/// attend to K others.
///
/// The s-step takes s = [w]_K, the K largest entries of the current row (the lowest index among
/// equals, no renormalisation); the p-step is one optimizer step with s held. The rounds are warm
/// starts of each other: weights and optimizer state go on. As s is made anew in every forward pass,
/// the penalty's gradient is w/μ outside the K largest.
public struct KSparseAttention: Objective {
  public static let kind = "ksparse"
  public static let about = "K-sparse attention by the penalty method, around another objective"

  public enum Reduction: String, Codable, Sendable {
    /// Over all rows, heads and layers of a sample, as the method is written.
    case sum
    /// Divided by the number of rows of a sample.
    case rowMean
  }

  /// What is minimised besides the penalty.
  public var of = Choice<ObjectiveCatalog>()
  /// K: a number of tokens from 1 up, or below 1 a part of the row.
  public var k = 0.25
  /// Blocks whose attention is made sparse, counted from 0; empty for all.
  public var layers: [Int] = []
  /// K for each of the layers, where they differ; empty for `k` everywhere.
  public var kOfLayer: [Double] = []
  /// Rounds over which K falls from the whole row to its value.
  public var shrinkingRounds = 0
  /// μ of the first round, as a sum over rows is weighed: large enough that the labels shape attention
  /// before the penalty does. A penalty that is strong from the start drives rows onto one token.
  public var mu = 1000.0
  /// c, by which μ shrinks from round to round.
  public var c = 0.6
  /// Where μ stops shrinking.
  public var smallestMu = 1e-3
  /// N₁: after so many rounds μ stays.
  public var rounds = 10
  /// N₂, the length of a round, in epochs or in steps; both 0 for the run cut into equal rounds.
  public var roundEpochs = 0.0
  public var roundSteps = 0
  public var reduction = Reduction.sum

  public init() {}

  public var teacher: Teacher { of.value.teacher }
  public var demands: BatchDemands { of.value.demands }
  public var replays: Int { of.value.replays }

  public func validate() throws {
    try validatePenalty()
    for k in [k] + kOfLayer { try validate(k: k) }
    if !kOfLayer.isEmpty, kOfLayer.count != layers.count {
      throw ConfigurationError(
        "kOfLayer", "gives \(kOfLayer.count) numbers for \(layers.count) layers",
        remedy: "Name the layers and give one K each, or leave it empty for k everywhere")
    }
    if Set(layers).count != layers.count {
      throw ConfigurationError(
        "layers", "names a layer twice", remedy: "Give each block's number once")
    }
    for (key, count) in [("roundSteps", roundSteps), ("shrinkingRounds", shrinkingRounds)]
    where count < 0 {
      throw ConfigurationError(key, "is \(count)", remedy: "Give 0 or a positive integer")
    }
    guard roundEpochs >= 0, roundEpochs.isFinite, roundEpochs == 0 || roundSteps == 0 else {
      throw ConfigurationError(
        "roundEpochs", roundEpochs >= 0 ? "and roundSteps are both given" : "is \(roundEpochs)",
        remedy: "Give the length of a round in epochs or in steps, or neither")
    }
  }

  private func validatePenalty() throws {
    guard mu > 0, mu.isFinite else {
      throw ConfigurationError("mu", "is \(mu)", remedy: "Give a positive number, such as 1000")
    }
    guard c > 0, c < 1 else {
      throw ConfigurationError(
        "c", "is \(c), and μ would not shrink toward 0",
        remedy: "Give a number between 0 and 1, such as 0.6")
    }
    guard smallestMu > 0, smallestMu <= mu else {
      throw ConfigurationError(
        "smallestMu", "is \(smallestMu)", remedy: "Give a positive number of at most mu (\(mu))")
    }
    guard rounds >= 1 else {
      throw ConfigurationError("rounds", "is \(rounds)", remedy: "Give at least 1")
    }
  }

  private func validate(k: Double) throws {
    guard k > 0, k < 1 || k == k.rounded(), k.isFinite else {
      throw ConfigurationError(
        "k", "is \(k), and a softmax row has at least one entry",
        remedy: "Give how many tokens a token may attend to (an integer from 1 up), or a part of "
          + "the row between 0 and 1")
    }
  }

  public func makeLoss(in scope: Scope, for model: any Classifier) throws -> any Loss {
    let attentions = model.attentions
    for layer in layers where !attentions.indices.contains(layer) {
      throw ConfigurationError(
        "objective.layers", "there is no attention layer \(layer)",
        remedy: "The model's are 0 to \(attentions.count - 1)")
    }
    let chosen = layers.isEmpty ? Array(attentions.indices) : layers
    let counts = kOfLayer.isEmpty ? Array(repeating: k, count: chosen.count) : kOfLayer
    if let widest = chosen.map({ attentions[$0].keys }).max(), let most = counts.max(),
      most > Double(widest)
    {
      throw ConfigurationError(
        "objective.k", "\(Int(most)) is more than the \(widest) entries of an attention row",
        remedy: "Give at most \(widest - 1), or a part of the row such as 0.25")
    }
    let layers = zip(chosen, counts).map { layer, k in
      KSparseLoss.Layer(number: layer, tap: attentions[layer], k: attentions[layer].count(k))
    }
    return KSparseLoss(self, layers, around: try of.value.makeLoss(in: scope, for: model))
  }
}
