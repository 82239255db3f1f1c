/// What a rank is doing, as its marks say.
public enum FlightPhase: UInt8, Sendable, CaseIterable {
  case begin, join, prepare, agree, restore
  case data, compute, threads, reduce, total, update, norms, gather
  case compare, evaluate, score, vote, save, finish

  /// Whether a rank in this phase waits for other ranks, so that its delay is not its own.
  var isWaiting: Bool {
    switch self {
    case .join, .agree, .reduce, .total, .norms, .gather, .compare, .score, .vote: true
    default: false
    }
  }

  /// What people read, e.g. `forward and backward pass of virtual shard 17`.
  func text(_ detail: Int) -> String {
    switch self {
    case .begin: "starting"
    case .join: "waiting for all ranks to start MPI"
    case .prepare: "opening data and building the model"
    case .agree: "comparing its program and config with the other ranks'"
    case .restore: "reading the checkpoint"
    case .data: "waiting for the images of virtual shard \(detail)"
    case .compute: "forward and backward pass of virtual shard \(detail)"
    case .threads: "waiting for the other threads of the rank"
    case .reduce: "waiting for the gradients of bucket \(detail)"
    case .total: "waiting for the losses"
    case .update: "updating the weights"
    case .norms: "waiting for norms"
    case .gather: "waiting for the weights"
    case .compare: "comparing weights with the other ranks"
    case .evaluate: "evaluating chunk \(detail)"
    case .score: "waiting for the scores"
    case .vote: "waiting to agree on what comes next"
    case .save: "saving a checkpoint"
    case .finish: "writing the results"
    }
  }

  /// Its name in flight records and faults.
  var name: String { "\(self)" }

  init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}

/// Written by name.
extension FlightPhase: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let found = FlightPhase(name: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no phase")
    }
    self = found
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
