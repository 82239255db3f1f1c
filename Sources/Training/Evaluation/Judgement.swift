import Attacks

/// How weights were judged.
public struct Judgement: Sendable {
  public var scores: EvaluationResult
  public var robust = RobustReport()
  public var attention = AttentionReport()

  public init(scores: EvaluationResult) { self.scores = scores }

  /// Everything as numbers by name, as the logs and the choice of the best checkpoint know them.
  public var figures: [(name: String, value: Double)] {
    var figures = [
      ("validation.accuracy", scores.accuracy), ("validation.top5", scores.top5),
      ("validation.loss", scores.loss),
    ]
    figures += robust.attacks.map {
      ("validation.\($0.attack.value.name).accuracy", $0.robustAccuracy.value)
    }
    if !attention.layers.isEmpty {
      figures += [
        ("attention.hoyer", attention.hoyer), ("attention.stability", attention.stability),
      ]
    }
    for (number, layer) in attention.layers.enumerated() {
      figures += [
        ("attention.hoyer.\(number)", layer.hoyer), ("attention.tail.\(number)", layer.tail),
        ("attention.stability.\(number)", layer.stability),
      ]
    }
    return figures
  }
}
