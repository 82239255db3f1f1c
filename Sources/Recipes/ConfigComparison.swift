import Configuration

/// What has changed in a config since the run in its folder was begun.
struct ConfigComparison {
  /// `optimizer.learningRate was 0.001 and is 0.005`, in the order of the config.
  let changes: [String]
  /// The same of the run's length, which may change: that stretches or cuts its schedule.
  let lengths: [String]

  /// Keys that may change while a run goes on: what it says of itself, how often it is judged and
  /// saved, how it is watched and dealt to ranks and threads, how its data is loaded. The training data is compared by fingerprint, not by path.
  private static let free = [
    "about", "balance", "checkpoints", "evaluation", "data.train", "data.trainSplit",
    "data.validation",
    "data.validationSplit", "data.evaluation", "data.loaderThreads", "data.prefetch",
    "lossSpikes", "replicaCheck", "threads", "watchdog",
  ]

  init(from then: Recipe, to now: Recipe) {
    let all = Self.differences(ValueTree(encoding: then), ValueTree(encoding: now), at: "")
    func isLength(_ change: String) -> Bool {
      change.hasPrefix("epochs was") || change.hasPrefix("steps was")
    }
    changes = all.filter { !isLength($0) }
    lengths = all.filter(isLength)
  }

  private static func differences(
    _ then: ValueTree?, _ now: ValueTree?, at path: String
  ) -> [String] {
    if then == now || free.contains(path) { return [] }
    guard let before = then?.mapping, let after = now?.mapping else {
      return ["\(path) was \(then?.json ?? "not there") and is \(now?.json ?? "not there")"]
    }
    // Another kind has other keys: that it is another says it all.
    let isSameKind = before["kind"] == after["kind"]
    let keys = isSameKind ? after.keys + before.keys.filter { after[$0] == nil } : ["kind"]
    return keys.flatMap { key in
      differences(before[key], after[key], at: path.isEmpty ? key : "\(path).\(key)")
    }
  }
}
