import Checkpoints
import Collectives

/// What all ranks do together after a step: in one collective each says what it knows, and rank 0's
/// clocks decide for all. Pending saves go a step further here.
package final class StepBoundary {
  /// The same on all ranks.
  package struct Decision: Equatable {
    package var stops = false
    package var saves = false
    /// The deadline asks for the stop, and no signal.
    package var isLate = false
    /// A checkpoint was due, but none can be finished before the deadline.
    package var lacksTime = false
    /// The replicas are compared after the next step.
    package var comparesReplicas = false
  }

  /// What a rank contributes; the greatest counts.
  private enum Vote: Int, CaseIterable {
    case isAskedToStop, isBusy, isDueByClock, isLate, lacksTime, comparesReplicas
  }

  private let cadence: Cadence
  private let deadline: Deadline
  private let checkpoints: CheckpointStore
  private let communicator: any Communicator
  private let now: () -> Double
  private var needs: TimeNeeds
  /// The step of the newest checkpoint that this process has seen committed or begun with.
  private(set) var committedStep: Int
  private var lastSave: Double
  private var stepEnded: Double
  private var votes = [Int](repeating: 0, count: Vote.allCases.count)

  /// - Parameters:
  ///   - content: what a checkpoint holds, at the step where the run begins.
  ///   - now: rank 0's clock, in seconds since 1970.
  ///   - tell: takes a line for people.
  package init(
    _ cadence: Cadence, deadline: Deadline, checkpoints: CheckpointStore,
    content: CheckpointContent, communicator: any Communicator,
    now: @escaping () -> Double = { Deadline.now },
    tell: @escaping (String) -> Void
  ) {
    self.cadence = cadence
    self.deadline = deadline
    self.checkpoints = checkpoints
    self.communicator = communicator
    self.now = now
    needs = TimeNeeds(bytes: content.bytes)
    committedStep = content.step
    lastSave = now()
    stepEnded = lastSave
    checkpoints.committed = { [weak self, weak checkpoints] committed in
      self?.committedStep = committed.step
      self?.needs.recordSave(committed.seconds)
      tell("saved step \(committed.step) in \(Self.rounded(committed.seconds)) s")
      if let warning = checkpoints?.warning, !warning.isEmpty {
        tell("note: an old checkpoint could not be deleted: \(warning)")
      }
    }
  }

  /// A step has ended that took so long; what is done until `agree` is its evaluation.
  package func recordStep(_ seconds: Double) {
    needs.recordStep(seconds)
    stepEnded = now()
  }

  /// Agrees after `step` steps. Every rank calls it once a step.
  ///
  /// - Parameter comparesReplicas: rank 0's wish for the next step.
  package func agree(
    after step: Int, isJudged: Bool, isAskedToStop: Bool, comparesReplicas: Bool = false
  ) throws -> Decision {
    if isJudged { needs.recordEvaluation(now() - stepEnded) }
    for vote in votes.indices { votes[vote] = 0 }
    set(.isAskedToStop, isAskedToStop)
    set(.isBusy, checkpoints.isBusy)
    set(.comparesReplicas, comparesReplicas && communicator.isRoot)
    if communicator.isRoot { consultClocks(after: step) }
    let agreed = try communicator.allReduce(votes, by: .maximum)
    func holds(_ vote: Vote) -> Bool { agreed[vote.rawValue] > 0 }

    if !holds(.isBusy) { try checkpoints.advance() }
    var decision = Decision()
    decision.stops = holds(.isAskedToStop) || holds(.isLate)
    decision.isLate = holds(.isLate) && !holds(.isAskedToStop)
    let isDue =
      decision.stops || holds(.isDueByClock) || cadence.saves(after: step, isJudged: isJudged)
    // After the last step nothing is gained by not trying.
    decision.lacksTime = isDue && holds(.lacksTime) && step < cadence.totalSteps
    decision.saves = isDue && !decision.lacksTime
    if decision.saves { lastSave = now() }
    decision.comparesReplicas = holds(.comparesReplicas)
    return decision
  }

  /// Why no checkpoint is written although one is due.
  package var refusal: String {
    "a checkpoint takes up to \(Self.rounded(needs.save)) s, and "
      + "\(Self.rounded(max(0, deadline.time - now()))) s are left before the deadline"
  }

  private func consultClocks(after step: Int) {
    let time = now()
    let minutes = cadence.saveEveryMinutes
    set(.isDueByClock, minutes > 0 && time - lastSave >= 60 * minutes)
    guard deadline.time.isFinite else { return }
    // A save that is pending must end before the last one can begin.
    let last = needs.save * (checkpoints.isPending ? 2 : 1)
    let next = 1.2 * needs.step + (cadence.evaluates(after: step + 1) ? needs.evaluation : 0)
    set(.isLate, time + next + last >= deadline.time)
    set(.lacksTime, time + last >= deadline.time)
  }

  private func set(_ vote: Vote, _ holds: Bool) { votes[vote.rawValue] = holds ? 1 : 0 }

  private static func rounded(_ seconds: Double) -> String {
    let digits = seconds < 1 ? 1000.0 : 10
    return "\((seconds * digits).rounded() / digits)"
  }
}
