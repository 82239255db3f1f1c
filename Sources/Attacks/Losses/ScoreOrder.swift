/// The classes with the four greatest scores, the lowest index first among equals.
struct ScoreOrder {
  let scores: UnsafeBufferPointer<Float>
  /// At most four classes, by descending score.
  private var first = 0
  private var second = -1
  private var third = -1
  private var fourth = -1

  init(_ scores: UnsafeBufferPointer<Float>) {
    self.scores = scores
    for k in 1..<max(scores.count, 1) { insert(k) }
  }

  private mutating func insert(_ k: Int) {
    if isGreater(k, first) {
      (first, second, third, fourth) = (k, first, second, third)
    } else if isGreater(k, second) {
      (second, third, fourth) = (k, second, third)
    } else if isGreater(k, third) {
      (third, fourth) = (k, third)
    } else if isGreater(k, fourth) {
      fourth = k
    }
  }

  private func isGreater(_ k: Int, _ other: Int) -> Bool { other < 0 || scores[k] > scores[other] }

  /// The class of rank `rank`, from 0 to 3; -1 if there are not so many.
  subscript(rank: Int) -> Int { [first, second, third, fourth][rank] }

  /// The class with the greatest score but for `class`.
  func greatest(except class: Int) -> Int { first == `class` ? second : first }
}
