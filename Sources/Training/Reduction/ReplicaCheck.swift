import Archives
import Autograd
import Collectives

/// Weights that should be equal on all ranks and are not. Exit code 77.
public struct ReplicaError: Error, Equatable, CustomStringConvertible {
  /// The first parameter that differs; empty if it is the gaps between parameters.
  public let parameter: String
  /// The ranks that hold other bits than more than half of all do; where no bits have a majority, all
  /// ranks.
  public let ranks: [Int]
  public let hasMajority: Bool
  public let step: Int
  let names: RankNames

  public var description: String {
    let place = parameter.isEmpty ? "the padding of the slab" : parameter
    let who =
      hasMajority
      ? "on \(names(ranks)) differs from the other ranks. Check the memory of that node"
      : "differs between \(names(ranks)), and no majority says which is right. Check the memory of "
        + "those nodes"
    return "step \(step): \(place) \(who), then resume from the last checkpoint."
  }
}

/// Compares the replicas of the weights by checksum: a few bytes a rank, memory speed.
public struct ReplicaCheck {
  private let layout: ParameterLayout
  private let communicator: any Communicator
  private let names: RankNames

  public init(
    _ layout: ParameterLayout, _ communicator: any Communicator,
    names: RankNames = RankNames(hosts: [])
  ) {
    self.layout = layout
    self.communicator = communicator
    self.names = names
  }

  /// Throws `ReplicaError` on all ranks if a bit of `values`, a slab of the layout, differs.
  ///
  /// - Returns: seconds of this rank's own work, without waiting for others.
  @discardableResult
  public func check(_ values: UnsafePointer<Float>, step: Int) throws -> Double {
    if communicator.size == 1 { return 0 }
    let start = ContinuousClock.now
    let checksum = checksum(values, 0..<layout.count)
    let seconds = (ContinuousClock.now - start).inSeconds
    let whole = try gathered(checksum)
    if whole.allSatisfy({ $0 == whole[0] }) { return seconds }
    for entry in layout.entries {
      let checksums = try gathered(self.checksum(values, entry.range))
      if checksums.allSatisfy({ $0 == checksums[0] }) { continue }
      throw error(entry.name, checksums, step)
    }
    throw error("", whole, step)
  }

  private func checksum(_ values: UnsafePointer<Float>, _ range: Range<Int>) -> UInt32 {
    CRC32C.of(
      UnsafeRawBufferPointer(
        UnsafeBufferPointer(start: values + range.lowerBound, count: range.count)))
  }

  private func gathered(_ mine: UInt32) throws -> [UInt32] {
    var all = [UInt32](repeating: 0, count: communicator.size)
    let counts = all.map { _ in MemoryLayout<UInt32>.size }
    try all.withUnsafeMutableBytes { all in
      try withUnsafeBytes(of: mine) { try communicator.allGather($0, into: all, counts: counts) }
    }
    return all
  }

  private func error(_ parameter: String, _ checksums: [UInt32], _ step: Int) -> ReplicaError {
    var counts: [UInt32: Int] = [:]
    for checksum in checksums { counts[checksum, default: 0] += 1 }
    let usual = counts.first { 2 * $0.value > checksums.count }?.key
    return ReplicaError(
      parameter: parameter, ranks: checksums.indices.filter { checksums[$0] != usual },
      hasMajority: usual != nil, step: step, names: names)
  }
}

/// After which steps rank 0 wants the replicas compared: as often as fits in a small part of the time.
package struct ReplicaCadence {
  private let everySteps: Int
  private let share: Double
  /// Seconds that comparisons may still take.
  private var budget = 0.0
  /// Of the last comparison.
  private var cost = 0.0
  private var steps = 0

  /// - Parameters:
  ///   - everySteps: steps between two comparisons at least; 0 for none.
  ///   - share: part of the time of the steps that comparisons may take.
  package init(everySteps: Int, share: Double) {
    self.everySteps = everySteps
    self.share = share
  }

  /// Whether the next step should be followed by a comparison, after one that took so long.
  package mutating func isDue(afterStepOf seconds: Double) -> Bool {
    guard everySteps > 0 else { return false }
    steps += 1
    // What was saved up in a long quiet is not spent in a row.
    budget = min(budget + share * seconds, max(4 * cost, share * seconds))
    return steps >= everySteps && budget >= cost
  }

  /// A comparison was made.
  package mutating func record(_ seconds: Double) {
    steps = 0
    cost = seconds
    budget -= seconds
  }
}
