import Collectives
import Training

/// Where the memory of a rank goes, in bytes: what `bench step` finds, and what a plan foretells.
public struct MemoryUse: Codable, Sendable, Equatable {
  /// The rank's copy of the slab: the model, and what the objective trains against it.
  public var weights = 0
  /// Whole slabs: one a thread, and the sums of finished shards that wait for their partners.
  public var gradients = 0
  /// Of the optimizer, of the part of the weights that the rank owns.
  public var moments = 0
  /// The moving average of that part.
  public var averages = 0
  /// What the objective remembers of the batch from step to step.
  public var remembered = 0
  /// Tensors of forward and backward passes, of all threads.
  public var activations = 0
  /// Sums that come in from other ranks.
  public var exchange = 0
  /// Images that are ready, or being made.
  public var batches = 0
  /// Copies of the owned part for a checkpoint, and the file of final weights.
  public var copies = 0
  /// Program and libraries, with what they hold before there is a model.
  public var program = 0
  /// What shares its pages with the node's other ranks: MPI's.
  public var shared = 0
  /// What is none of these: below zero where something was taken and never touched.
  public var rest = 0

  public init() {}

  /// The parts with their names for people.
  public static var parts: [(name: String, path: WritableKeyPath<MemoryUse, Int>)] {
    [
      ("weights", \.weights), ("gradients", \.gradients), ("moments", \.moments),
      ("averages", \.averages), ("remembered", \.remembered), ("activations", \.activations),
      ("exchange", \.exchange), ("batches", \.batches), ("copies", \.copies),
      ("program", \.program), ("shared", \.shared), ("rest", \.rest),
    ]
  }

  public var total: Int { Self.parts.reduce(0) { $0 + self[keyPath: $1.path] } }

  /// What the slabs of a step take.
  init(_ step: TrainingStep) {
    let float = MemoryLayout<Float>.stride
    let slab = step.network.parameters.layout.count * float
    weights = slab
    gradients = step.reducer.slabCount * slab
    exchange = step.reducer.bytesReceived
    moments = step.states.reduce(0) { $0 + $1.slab.count * float }
    averages = (step.average?.count ?? 0) * float
    remembered = (step.memory?.range.count ?? 0) * float
  }

  /// The use of the rank that uses most, on all ranks.
  func ofLargest(on communicator: any Communicator) throws -> MemoryUse {
    let width = Self.parts.count
    let all = try communicator.allGather(Self.parts.map { self[keyPath: $0.path] })
    let ranks = stride(from: 0, to: all.count, by: width).map { start in
      var use = MemoryUse()
      for (i, part) in Self.parts.enumerated() { use[keyPath: part.path] = all[start + i] }
      return use
    }
    return ranks.max { $0.total < $1.total } ?? self
  }
}
