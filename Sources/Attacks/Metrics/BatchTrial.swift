import Configuration
import Networks
import Tensors

/// Attacks on one batch of labelled images: before, after, and what lay between.
public struct BatchTrial {
  private let victim: any Victim
  private let images: Tensor
  private let labels: [Int]
  private let keys: AttackKeys
  private let pool: BufferPool
  private let cleanLogits: Tensor
  /// Places of the images that the victim gets right: only these are attacked.
  private let correct: [Int]

  /// Asks the victim about the images as they are.
  ///
  /// - Throws: `AttackError` for scores that are not finite or labels that the model cannot name.
  public init(
    _ images: Tensor, labels: [Int], keys: AttackKeys, victim: any Victim, pool: BufferPool
  ) throws {
    (self.victim, self.images, self.labels) = (victim, images, labels)
    (self.keys, self.pool) = (keys, pool)
    try AttackCheck(attack: "evaluation", keys: keys)
      .goal(.labels(labels), classes: victim.description.classes)
    let logits = try victim.logits(images, rows: Array(labels.indices))
    try Self.checkFinite(logits, keys, attack: "evaluation")
    cleanLogits = logits
    correct = labels.indices.filter { logits.row($0).indexOfGreatest == labels[$0] }
  }

  /// One attack on the images that the victim gets right; a record of every image.
  public func records(of choice: Choice<AttackCatalog>) throws -> [AttackRecord] {
    var records = labels.indices.map { row in
      var record = AttackRecord()
      (record.sample, record.label) = (keys.samples[row], labels[row])
      record.meet(cleanLogits.row(row))
      return record
    }
    guard !correct.isEmpty else { return records }
    let isWhole = correct.count == labels.count
    let subject = isWhole ? images : images.selecting(correct, from: pool)
    let goal = choice.value.target.goal(
      labels: correct.map { labels[$0] }, logits: cleanLogits.selecting(correct, from: pool),
      keys: keys.selecting(correct))
    victim.queries.begin(count: correct.count)
    defer { victim.queries.begin(count: 0) }
    let result = try choice.value.examples(
      of: subject, goal, victim: victim, keys: keys.selecting(correct), pool: pool)
    let logits = try victim.logits(result, rows: Array(correct.indices))
    try Self.checkFinite(logits, keys.selecting(correct), attack: choice.kind)

    let width = subject.count / correct.count
    for (position, row) in correct.enumerated() {
      records[row].judge(logits.row(position))
      records[row].target = goal.target(position) ?? -1
      records[row].norms = PerturbationNorms(
        result.pointer + position * width, minus: subject.pointer + position * width, count: width)
      let queries = victim.queries.counts[position]
      (records[row].forwards, records[row].gradients) = (queries.forwards, queries.gradients)
      records[row].zeroGradients = queries.zeroGradients
    }
    return records
  }

  private static func checkFinite(_ logits: Tensor, _ keys: AttackKeys, attack: String) throws {
    for row in 0..<logits.shape[0] where !logits.row(row).allSatisfy(\.isFinite) {
      throw AttackError(
        .badData, attack: attack,
        "sample \(keys.samples[row]): the model's scores are not finite",
        remedy: "Check the weights; a diverged run leaves such")
    }
  }
}
