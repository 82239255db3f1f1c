import Archives
import Collectives

extension CheckpointStore {
  /// To be called before training: throws if the file system has no room for the checkpoints that
  /// will lie there together, two at least unless it writes fewer, and takes the memory of background
  /// saves if there will be any.
  ///
  /// - Parameters:
  ///   - content: what every checkpoint of the run will hold, at the step where the run begins.
  ///   - lastStep: of the run.
  public func reserve(_ content: CheckpointContent, lastStep: Int) throws {
    _ = try communicator.onRoot {
      let free = freeBytes(folder.path)
      let count = checkpointsToCome(after: content.step, lastStep: lastStep)
      let needed = count * (content.bytes + (1 << 20))
      guard free < 0 || free >= needed else {
        throw CheckpointError(
          .inputOutput, path: directory,
          "the run will keep \(count) more checkpoint\(count == 1 ? "" : "s"), together "
            + "\(needed >> 20) MiB, but only \(free >> 20) MiB are free",
          remedy: "Free space, lower checkpoints.keepLast, keepBest or raise keepEverySteps, or "
            + "give another --output")
      }
      return ""
    }
    let saves = options.everySteps > 0 || options.everyMinutes > 0 || options.keepBest > 0
    if options.background && saves { snapshot.reserve(content.slabs.reduce(0) { $0 + $1.count }) }
  }

  /// Those kept and the one that is written before another goes, less those that are there; no more
  /// than the run will write at all.
  private func checkpointsToCome(after step: Int, lastStep: Int) -> Int {
    let period = options.keepEverySteps
    let milestones = period > 0 ? max(0, lastStep / period - step / period) : 0
    let there = CheckpointFinder.steps(in: directory).count { period == 0 || $0 % period != 0 }
    let kept = max(2, options.keepLast + options.keepBest + milestones + 1 - there)
    return min(kept, savesToCome(after: step, lastStep: lastStep))
  }

  /// The last step is always saved; where a clock or a score decides nobody knows how many are. One on
  /// request is the run's last and takes the place of a later one.
  private func savesToCome(after step: Int, lastStep: Int) -> Int {
    if options.everyMinutes > 0 || options.keepBest > 0 { return .max }
    let period = options.everySteps
    return 1 + (period > 0 ? max(0, (lastStep - 1) / period - step / period) : 0)
  }
}
