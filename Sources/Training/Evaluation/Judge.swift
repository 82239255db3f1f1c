import Autograd
import Networks

/// All that a run's weights are judged by: the scores on the validation data, attacks on a fixed part
/// of it, and how attention looks.
public struct Judge {
  public let evaluator: Evaluator
  /// Nil where nobody asked.
  public let robust: RobustEvaluation?
  public let attention: AttentionEvaluation?

  public init(
    _ evaluator: Evaluator, robust: RobustEvaluation? = nil, attention: AttentionEvaluation? = nil
  ) {
    self.evaluator = evaluator
    self.robust = robust
    self.attention = attention
  }

  /// The same judgement on all ranks, the times aside.
  public func judge(
    _ model: any Classifier, _ parameters: ParameterSlab
  ) throws -> Judgement {
    var judgement = Judgement(scores: try evaluator.evaluate(model, parameters))
    if let robust { judgement.robust = try robust.evaluate(model, parameters) }
    if let attention { judgement.attention = try attention.evaluate(model, parameters) }
    return judgement
  }

  /// Lets all parts note their progress there.
  public func noting(in marks: Marks) -> Judge {
    evaluator.marks = marks
    robust?.marks = marks
    attention?.marks = marks
    return self
  }
}
