/// Decides which committed checkpoints stay.
struct Retention {
  let options: CheckpointOptions

  /// Steps that may be deleted, given those that exist (newest first) after `current` has been
  /// committed. Never `current`, and nothing newer: that is a damaged one or another run's.
  func expendable(
    _ steps: [Int], current: Int, metric: (Int) -> Double?
  ) -> [Int] {
    let candidates = steps.filter { $0 <= current }
    var kept = Set(candidates.prefix(max(1, options.keepLast)))
    kept.insert(current)
    if options.keepEverySteps > 0 {
      kept.formUnion(candidates.filter { $0 % options.keepEverySteps == 0 })
    }
    if options.keepBest > 0 {
      let sign = options.bestIsHighest ? 1.0 : -1.0
      let rated = candidates.compactMap { step in metric(step).map { (step, sign * $0) } }
        .filter { !$0.1.isNaN }
      // Of equals the newer one: candidates come newest first and the sort is stable.
      kept.formUnion(rated.sorted { $0.1 > $1.1 }.prefix(options.keepBest).map(\.0))
    }
    return candidates.filter { !kept.contains($0) }
  }
}
