import Tensors

/// What one attack did to one image: a row of fixed size, which ranks exchange as bytes.
public struct AttackRecord: Sendable, Equatable, BitwiseCopyable {
  /// Index in the data set.
  public var sample = 0
  public var label = 0
  /// The class it was driven to; -1 for none.
  public var target = -1
  /// What the victim said before and after.
  public var cleanPrediction = 0
  public var prediction = 0
  /// The label's score minus the greatest other, after the attack.
  public var margin = 0.0
  public var norms = PerturbationNorms()
  public var forwards = 0
  public var gradients = 0
  public var zeroGradients = 0
  /// 1 if the scores before the attack are a distribution, as after softmax.
  public var looksLikeProbabilities = 0

  public init() {}

  /// Whether the victim was right before the attack: others are left as they are.
  public var wasCorrect: Bool { cleanPrediction == label }

  /// Whether the attack reached its goal on an image that was right before.
  public var isFooled: Bool {
    wasCorrect && (target < 0 ? prediction != label : prediction == target)
  }
}

extension AttackRecord {
  /// Notes the scores of the image, attacked.
  mutating func judge(_ scores: UnsafeBufferPointer<Float>) {
    prediction = scores.indexOfGreatest
    let other = ScoreOrder(scores).greatest(except: label)
    margin = other < 0 ? 0 : Double(scores[label]) - Double(scores[other])
  }

  /// Notes the scores of the image as it is, which is left so if they are wrong.
  mutating func meet(_ scores: UnsafeBufferPointer<Float>) {
    judge(scores)
    cleanPrediction = prediction
    let sum = scores.reduce(0.0) { $0 + Double($1) }
    let isDistribution =
      abs(sum - 1) < 1e-5 && scores.allSatisfy { $0 > -1e-5 && $0 < 1 + 1e-5 }
    looksLikeProbabilities = isDistribution ? 1 : 0
  }
}
